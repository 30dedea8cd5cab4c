// here is what this window shows: it lives in the address, so that a reload and a second window agree.
export function here() {
  const q = new URLSearchParams(location.search);
  const current = document.querySelector("#side a[aria-current=page]");
  const to = new URLSearchParams(current?.search);
  return { as: q.get("as") || to.get("as"), in: q.get("in") || to.get("in"), thread: q.get("thread") || "" };
}
