// An e-mail as a person will see it, in a frame where no script runs. The frame shares our Content-Security-Policy,
// which refuses inline styles, and e-mails have no others: so each style is set through the object model instead.
import { useCallback, useEffect, useRef, useState } from 'react'
import styles from './Code.module.css'

const HEIGHT_MIN = 160

/** Fills a document with parsed HTML: elements as they are, styles by the object model, scripts and frames left out. */
export function fillDocument(target: Document, html: string) {
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  for (const element of parsed.querySelectorAll('script, iframe, object, embed, link, base, meta')) element.remove()
  const sheets = [...parsed.querySelectorAll('style')].map((style) => style.textContent ?? '')
  for (const style of parsed.querySelectorAll('style')) style.remove()
  const looks = new Map<Element, string>()
  for (const element of parsed.querySelectorAll('[style]')) {
    looks.set(element, element.getAttribute('style') ?? '')
    element.removeAttribute('style')
  }
  target.body.replaceChildren(...parsed.body.childNodes)
  for (const [element, look] of looks) {
    if (element === parsed.body) target.body.style.cssText = look
    else (element as HTMLElement).style.cssText = look
  }
  const Sheet = target.defaultView?.CSSStyleSheet
  if (!Sheet) return
  target.adoptedStyleSheets = sheets.map((text) => {
    const sheet = new Sheet()
    sheet.replaceSync(text)
    return sheet
  })
}

export function HtmlPreview({ html, label }: { html: string; label: string }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const [height, setHeight] = useState(HEIGHT_MIN)
  const fill = useCallback(() => {
    const target = frame.current?.contentDocument
    if (!target?.body) return
    fillDocument(target, html)
    setHeight(Math.max(HEIGHT_MIN, target.documentElement.scrollHeight))
  }, [html])
  useEffect(fill, [fill])
  return (
    <iframe
      ref={frame}
      title={label}
      sandbox="allow-same-origin"
      src="about:blank"
      onLoad={fill}
      className={styles.preview}
      style={{ height }}
    />
  )
}
