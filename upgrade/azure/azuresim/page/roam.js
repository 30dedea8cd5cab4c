// Arrow keys between the buttons of a map, which is one stop for the Tab key.

/** roam makes the buttons in box reachable by arrow keys, Home and End. Escape calls leave, Enter calls enter with the button. */
export function roam(box, leave, enter) {
  box.addEventListener("focusin", (e) => {
    for (const b of box.querySelectorAll('button[tabindex="0"]')) b.tabIndex = -1;
    e.target.tabIndex = 0;
  });
  box.addEventListener("keydown", (e) => {
    const next = target(box, e);
    if (e.key === "Escape") leave();
    if (next || e.key === "Enter") e.preventDefault();
    if (e.key === "Enter") enter(e.target);
    next?.focus();
  });
}

function target(box, e) {
  const all = [...box.querySelectorAll("button")];
  switch (e.key) {
    case "Home": return all[0];
    case "End": return all.at(-1);
    case "ArrowLeft": return nearest(all, e.target, -1, 0);
    case "ArrowRight": return nearest(all, e.target, 1, 0);
    case "ArrowUp": return nearest(all, e.target, 0, -1);
    case "ArrowDown": return nearest(all, e.target, 0, 1);
  }
  return null;
}

/** nearest is the button next to from in a direction: far off to the side counts three times as far. */
function nearest(all, from, dx, dy) {
  const at = middle(from);
  let best = null, least = Infinity;
  for (const b of all) {
    const to = middle(b), along = (to.x - at.x) * dx + (to.y - at.y) * dy, aside = Math.abs((to.x - at.x) * dy) + Math.abs((to.y - at.y) * dx);
    const far = along + 3 * aside;
    if (along > 4 && far < least) [best, least] = [b, far];
  }
  return best;
}

function middle(e) {
  const r = e.getBoundingClientRect();
  return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
}
