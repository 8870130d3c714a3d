// Sorts tables by a click on a heading; unfolds what a link leads to, and everything for a printer. All of the page is
// there without it.
"use strict";

function sortBy(table, column, heading) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.querySelectorAll("th"))
        other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.cells[column].dataset.order ?? row.cells[column].textContent.trim();
    const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
    const numbers = rows.every(([key]) => key !== "" && !isNaN(key));
    rows.sort(([one], [other]) => (down ? -1 : 1) *
        (numbers ? one - other : one.localeCompare(other, "en", {numeric: true})));
    table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sorts")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...heading.childNodes);
        button.addEventListener("click", () => sortBy(table, column, heading));
        heading.append(button);
    });
}

function unfold() {
    const wanted = location.hash && document.getElementById(location.hash.slice(1));
    if (wanted && wanted.tagName === "DETAILS") {
        wanted.open = true;
        wanted.scrollIntoView();
        wanted.querySelector("summary").focus();
    }
}
addEventListener("hashchange", unfold);
unfold();

let folded = [];
addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded)
        one.open = true;
});
addEventListener("afterprint", () => {
    for (const one of folded)
        one.open = false;
});
