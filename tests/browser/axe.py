"""axe-core looks at a page: what of its rules for people who see, hear or move otherwise the page breaks."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.support.ci import absent

SCRIPT = Path(__file__).resolve().parents[1] / "node_modules" / "axe-core" / "axe.min.js"
_RUN = "async (rules) => (await axe.run(document, { rules, resultTypes: ['violations'] })).violations"


class Known(NamedTuple):
    """A rule that is broken for a reason, mostly by Streamlit's own markup, in elements that `within` names."""

    rule: str
    within: str
    reason: str


KNOWN = (
    Known(
        "list",
        "[data-testid=stSidebarNav] ul, ul[data-testid=stSidebarNavItems]",
        "the groups of st.navigation put headings and lists of links into a list without list items",
    ),
    Known("listitem", "[data-testid=stSidebarNav] li", "the same"),
    Known(
        "color-contrast",
        "button[data-selected=true] *",
        "a chosen segment is written in primaryColor, which white words lie on too: on a dark ground only one has 4.5:1",
    ),
    Known(
        "meta-refresh",
        "meta[http-equiv=refresh]",
        "NGINX's page while the hub is away says that it tries again; it has no script, so nothing else could lead on",
    ),
)


def violations(page: Page) -> list[str]:
    """`rule: element` for each, without what is known."""
    if not SCRIPT.exists():
        absent("axe-core is not installed; with npm: npm ci --prefix tests")
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(SCRIPT.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(_RUN, {})
    broken = [(rule["id"], node) for rule in found for node in rule["nodes"]]
    return [
        f"{rule}: {json.dumps(node['target'])} {node['html'][:200]}" for rule, node in broken if not _is_known(page, rule, node)
    ]


def _is_known(page: Page, rule: str, node: dict[str, Any]) -> bool:
    target = node["target"][-1]
    return any(
        known.rule == rule and page.locator(target).first.evaluate("(node, within) => node.matches(within)", known.within)
        for known in KNOWN
    )
