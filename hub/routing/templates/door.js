(() => {
  const door = document.getElementById("door");
  const local = () => {
    for (const time of door.querySelectorAll("time[datetime]")) time.textContent = new Date(time.dateTime).toLocaleTimeString();
  };
  local();
  if (!door.dataset.poll) return;
  let shown = "";
  /* A start takes less than a second here and there, so ask often at first. */
  const pause = () => (performance.now() < 10000 ? 200 : 1000);
  const look = async () => {
    try {
      const answer = await fetch(door.dataset.poll, { cache: "no-store", credentials: "same-origin" });
      if (answer.ok) {
        const now = await answer.json();
        if (now.open) return location.reload();
        if (now.main !== shown && now.door !== door.dataset.door && ["stopped", "failed", "unknown"].includes(now.door)) return location.reload();
        if (now.main !== shown) {
          shown = now.main;
          door.innerHTML = shown;
          local();
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    setTimeout(look, pause());
  };
  setTimeout(look, pause());
})();
