// Keys that act on a page as a whole: never while somebody types, never while something lies over the page.

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName) || target.shadowRoot !== null
}

/** True when a plain key, without modifiers, is meant for the page. */
export function isForPage(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false
  return !isTyping(event.target) && !document.querySelector('[role="dialog"], [role="listbox"], [role="menu"]')
}
