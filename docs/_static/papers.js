// The list of papers on the index: find, filter by kind and verdict, sort. Plain elements, so the keyboard works.
const list = document.getElementById("papers");
if (list) {
  const rows = [...list.children];
  const by = id => document.getElementById(id);
  const buttons = [...document.querySelectorAll("#controls button[data-has]")];
  const text = new Map(rows.map(row => [row, row.innerText.toLowerCase()]));
  const order = {
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
    kind: (a, b) => a.dataset.kind.localeCompare(b.dataset.kind) || order.name(a, b),
    year: (a, b) => b.dataset.year - a.dataset.year || order.name(a, b),
    reproduced: (a, b) => b.dataset.reproduced - a.dataset.reproduced || order.name(a, b),
  };
  const show = () => {
    const words = by("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = buttons.filter(b => b.getAttribute("aria-pressed") === "true").map(b => b.dataset.has);
    let count = 0;
    for (const row of rows) {
      const has = row.dataset.has.split(" ");
      row.hidden = !(words.every(word => text.get(row).includes(word))
        && (!by("kind").value || row.dataset.kind === by("kind").value)
        && wanted.every(verdict => has.includes(verdict)));
      count += !row.hidden;
    }
    list.append(...[...rows].sort(order[by("sort").value]));
    by("count").value = `${count} of ${rows.length}`;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      show();
    });
  }
  for (const id of ["find", "kind", "sort"]) by(id).addEventListener("input", show);
  by("controls").addEventListener("submit", event => event.preventDefault());
  by("controls").hidden = false;
  show();
}
