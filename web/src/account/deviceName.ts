const BROWSERS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Version\/.*Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Windows/, 'Windows'],
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux|X11/, 'Linux'],
]

/** A name for people, such as "Firefox · Linux", from what a browser calls itself; programs keep their own. */
export function deviceName(label: string): string {
  if (!label.startsWith('Mozilla/')) return label
  const named = [BROWSERS, SYSTEMS].flatMap((known) => known.find(([sign]) => sign.test(label))?.[1] ?? [])
  return named.length > 0 ? named.join(' · ') : label
}
