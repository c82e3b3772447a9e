/** The upper end of a scale: the next of 1, 2, 5, 10, 20, 50, … that is not less. */
export function niceTop(most: number): number {
  if (!(most > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most) ?? most
}
