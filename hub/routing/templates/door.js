(() => {
  const door = document.getElementById("door");
  const local = () => {
    for (const time of door.querySelectorAll("time[datetime]")) time.textContent = new Date(time.dateTime).toLocaleTimeString();
  };
  local();
  let shown = "";
  let from = 0;
  /* A start takes a quarter of a second here and there, so ask often at first. */
  const pause = () => {
    const waited = performance.now() - from;
    return waited < 2000 ? 50 : waited < 10000 ? 200 : 1000;
  };
  const look = async () => {
    try {
      const answer = await fetch(door.dataset.poll, { cache: "no-store", credentials: "same-origin" });
      if (answer.ok) {
        const now = await answer.json();
        if (now.open) return location.reload();
        if (now.main !== shown && now.door !== door.dataset.door && ["stopped", "failed", "unknown"].includes(now.door)) return location.reload();
        if (now.main !== shown) {
          shown = now.main;
          door.dataset.door = now.door;
          door.innerHTML = shown;
          local();
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    setTimeout(look, pause());
  };
  const follow = () => {
    from = performance.now();
    setTimeout(look, pause());
  };
  if (door.dataset.poll) return follow();
  /* Launching without leaving the page saves a page; where it is refused, the form's own way shows why. */
  const form = door.querySelector("form");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const sent = { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual", credentials: "same-origin" };
    const answer = await fetch(form.action, sent).catch(() => null);
    if (!answer || answer.type !== "opaqueredirect") return form.submit();
    door.dataset.poll = form.action.replace(/launch$/, "door");
    follow();
  });
})();
