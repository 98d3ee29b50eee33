// An e-mail as a person will see it, in a frame where no script runs. The frame shares our Content-Security-Policy,
// which refuses inline styles, and e-mails have no others: so each style is set through the object model instead.
import { useCallback, useEffect, useRef, useState } from 'react'
import styles from './Code.module.css'

const HEIGHT_MIN = 160

const LOOK = 'data-look'

/** Takes the styles out of HTML before it is parsed, because parsing alone would have them refused and reported. */
export function withoutStyles(html: string): { html: string; sheets: string[] } {
  const sheets: string[] = []
  const bare = html
    .replace(/<style\b[^>]*>([\s\S]*?)<\/style\s*>/gi, (_, sheet: string) => {
      sheets.push(sheet)
      return ''
    })
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/(\s)style(\s*=)/gi, `$1${LOOK}$2`))
  return { html: bare, sheets }
}

/** Fills a document with HTML: styles by the object model; scripts, frames and what would load is left out. */
export function fillDocument(target: Document, html: string) {
  const { html: bare, sheets } = withoutStyles(html)
  const parsed = new DOMParser().parseFromString(bare, 'text/html')
  for (const element of parsed.querySelectorAll('script, iframe, object, embed, link, base, meta')) element.remove()
  const look = parsed.body.getAttribute(LOOK)
  target.body.replaceChildren(...parsed.body.childNodes)
  if (look) target.body.style.cssText = look
  for (const element of target.body.querySelectorAll<HTMLElement>(`[${LOOK}]`)) {
    element.style.cssText = element.getAttribute(LOOK) ?? ''
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
