"""Lets a page make the browser send a form to one of the hub's routes.

Cookies can only be set by a plain HTTP answer, and a Streamlit script gives none. So the browser
itself posts: at once, or when a button is pressed. The form is a real one: where its script is
slow the button is there to press, and the answer is an ordinary page load.
"""

import streamlit as st

_HTML = """
<form method="post">
  <p role="status"></p>
  <button type="submit"></button>
</form>
"""

_CSS = """
form { display: flex; align-items: center; gap: 0.75rem; margin: 0; font-family: var(--st-font); }
p { margin: 0; color: var(--st-text-color); }
p:empty { display: none; }
button {
  min-height: 2.5rem; padding: 0.25rem 0.75rem; cursor: pointer; font: inherit; color: var(--st-text-color);
  background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
form.wide button { width: 100%; }
button:hover { border-color: var(--st-link-color); color: var(--st-link-color); }
button:focus-visible { outline: 2px solid var(--st-link-color); outline-offset: 2px; }
"""

_JS = """
const sent = new WeakSet()
const waiting = new WeakSet()

// A tab whose hub is away for a moment says so itself (tab.js) and holds this request until it is back.
async function submitWhenHubAnswers(form) {
  if (waiting.has(form)) return
  waiting.add(form)
  for (let answered = false; !answered; ) {
    answered = await fetch("/_stcore/health", { cache: "no-store" }).then((answer) => answer.ok, () => false)
    if (!answered) await new Promise((resume) => setTimeout(resume, 500))
  }
  if (form.isConnected) form.requestSubmit()
}

export default function ({ data, parentElement }) {
  const form = parentElement.querySelector("form")
  if (sent.has(form)) return
  form.action = data.action
  form.classList.toggle("wide", data.wide)
  form.querySelector("p").textContent = data.status
  form.querySelector("button").textContent = data.label
  form.querySelectorAll("input").forEach((field) => field.remove())
  for (const [name, value] of Object.entries(data.fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }))
  }
  form.onsubmit = () => {
    if (sent.has(form)) return false
    sent.add(form)
  }
  if (data.at_once) submitWhenHubAnswers(form)
}
"""


def post_button(label: str, action: str, fields: dict[str, str] | None = None, *, key: str, wide: bool = False) -> None:
    """A button that posts to a route of the hub."""
    _draw(key, action, fields or {}, label, "", wide=wide)


def post_at_once(action: str, fields: dict[str, str], status: str, *, key: str) -> None:
    """Post now, and leave this page for the answer. `status` is what the person reads meanwhile."""
    _draw(key, action, fields, "Continue", status, at_once=True)


def _draw(
    key: str, action: str, fields: dict[str, str], label: str, status: str, *, at_once: bool = False, wide: bool = False
) -> None:
    component = st.components.v2.component("podium_post", html=_HTML, css=_CSS, js=_JS)
    component(
        key=key,
        data={"action": action, "fields": fields, "label": label, "status": status, "at_once": at_once, "wide": wide},
        width="stretch" if at_once or wide else "content",
    )
