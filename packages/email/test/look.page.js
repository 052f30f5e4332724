// Runs in the page: how far the mail is too wide, and which of its texts are too faint (WCAG 2, AA: 4.5).
;(() => {
  const rgb = (color) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color) => {
    const [r = 0, g = 0, b = 0] = rgb(color).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at)
      if ((rgb(backgroundColor)[3] ?? 1) > 0) return backgroundColor
    }
    return 'rgb(255, 255, 255)'
  }
  const faint = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { textContent, parentElement } = walker.currentNode
    if (!textContent?.trim() || !parentElement || parentElement.getClientRects().length === 0) continue
    const { color, fontSize } = getComputedStyle(parentElement)
    if (Number.parseFloat(fontSize) === 0) continue
    const [light, dark] = [luminance(color), luminance(behind(parentElement))].sort((a, b) => b - a)
    const contrast = (light + 0.05) / (dark + 0.05)
    if (contrast < 4.5) faint.push(`${textContent.slice(0, 40)} ${contrast.toFixed(2)}`)
  }
  return { overflow: document.documentElement.scrollWidth - window.innerWidth, faint }
})()
