// Draws the figures of the overview, which stand in a table below.

const table = document.getElementById('points')
const place = document.getElementById('plot')
if (table instanceof HTMLTableElement && place !== null) draw(table, place)

/** @param {HTMLTableElement} points @param {HTMLElement} holder */
function draw(points, holder) {
  const rows = [...(points.tBodies[0]?.rows ?? [])]
  /** @param {number} column */
  const column = (column) => rows.map((row) => Number(row.cells[column]?.dataset.at ?? row.cells[column]?.textContent))
  const line = colorOf('--line')
  const axis = { stroke: colorOf('--soft'), grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  const series = [
    { label: 'accepted', stroke: colorOf('--link') },
    { label: 'handled', stroke: colorOf('--good') },
    { label: 'failed', stroke: colorOf('--bad') },
  ]
  const plot = new uPlot(
    {
      ...{ width: holder.clientWidth, height: 200 },
      axes: [axis, { ...axis, size: 60 }],
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max)] } },
      series: [{ label: 'from' }, ...series.map((each) => ({ ...each, width: 1.5, points: { show: false } }))],
    },
    [column(0), column(1), column(2), column(3)],
    holder,
  )
  new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: 200 })).observe(holder)
}

/** As a canvas takes it, which does not know light-dark(). @param {string} variable */
function colorOf(variable) {
  const probe = document.createElement('span')
  probe.style.color = `var(${variable})`
  document.body.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  return color
}
