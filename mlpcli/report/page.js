// What a cell of the confusion matrix says is written below it, for those who cannot hover.
for (const matrix of document.querySelectorAll("table.confusion")) {
  const readout = matrix.closest("section").querySelector(".readout");
  const read = (event) => {
    const cell = event.target.closest("td");
    if (cell) readout.textContent = cell.title;
  };
  matrix.addEventListener("pointerover", read);
  matrix.addEventListener("click", read);
}
