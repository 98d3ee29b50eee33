// Short answers to what a person just did: "saved", "sent". Said once, gone after a while.

export interface Notice {
  id: number
  text: string
  tone: 'good' | 'bad'
}

const SHOWN_MS = 5_000
let notices: readonly Notice[] = []
let next = 1
const listeners = new Set<() => void>()

function set(changed: readonly Notice[]) {
  notices = changed
  for (const listener of listeners) listener()
}

export function notify(text: string, tone: Notice['tone'] = 'good') {
  const notice = { id: next++, text, tone }
  set([...notices, notice])
  setTimeout(() => set(notices.filter((each) => each.id !== notice.id)), SHOWN_MS)
}

export const currentNotices = () => notices
export function onNotices(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
