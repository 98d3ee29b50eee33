// What a new journey can begin with. Each one is accepted by the server as soon as its template exists.

export const STARTER_KEYS = ['welcome', 'reminder', 'win_back', 'empty'] as const
export type StarterKey = (typeof STARTER_KEYS)[number]

export interface Starter {
  key: StarterKey
  /** `NAME`, `TITLE` and `TEMPLATE` are put in. */
  text: string
}

export const STARTERS: readonly Starter[] = [
  {
    key: 'welcome',
    text: `journey: NAME
title: TITLE
purpose: service
entry: {event: Signed Up, reentry: never}
exit:
  - event: Order Completed
goal: {event: Order Completed, within: 30d}
steps:
  - id: hello
    send: {template: TEMPLATE, channels: [email]}
  - id: two_days
    wait: {for: 2d}
  - id: tips
    send: {template: TEMPLATE, channels: [email]}
`,
  },
  {
    key: 'reminder',
    text: `journey: NAME
title: TITLE
purpose: marketing
entry:
  event: Cart Updated
  reentry: {after: 7d}
exit:
  - event: Order Completed   # at once, also during a wait
goal: {event: Order Completed, within: 3d}
steps:
  - id: hold
    wait: {event: Order Completed, timeout: 1h}
    next: {matched: end, timeout: remind}
  - id: remind
    send: {template: TEMPLATE, channels: [email]}
`,
  },
  {
    key: 'win_back',
    text: `journey: NAME
title: TITLE
purpose: marketing
entry: {audience: {entered: AUDIENCE}, reentry: {after: 180d}}
exit:
  - audience: {left: AUDIENCE}
goal: {event: Order Completed, within: 30d}
steps:
  - id: try_both
    split: {arms: {short: 50, long: 50}}
    next: {short: short_text, long: long_text}
  - id: short_text
    send: {template: TEMPLATE, channels: [email]}
    next: end
  - id: long_text
    send: {template: TEMPLATE, channels: [email]}
`,
  },
  {
    key: 'empty',
    text: `journey: NAME
title: TITLE
purpose: service
entry: {event: Something Happened, reentry: never}
steps:
  - id: hello
    send: {template: TEMPLATE, channels: [email]}
`,
  },
]

export interface Filling {
  name: string
  title: string
  template: string
  audience: string
}

export function fill(starter: Starter, { name, title, template, audience }: Filling): string {
  return starter.text
    .replace('NAME', name)
    .replace('TITLE', /^[\p{L}\p{N} ,.()!?-]+$/u.test(title) ? title : JSON.stringify(title))
    .replaceAll('TEMPLATE', template)
    .replaceAll('AUDIENCE', audience)
}

/** The name of a journey for what somebody calls it: what the server takes as a name. */
export function nameFor(title: string): string {
  const plain = title
    .toLowerCase()
    .replaceAll('ä', 'ae')
    .replaceAll('ö', 'oe')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
    .normalize('NFD')
  return plain.replace(/[^a-z0-9]+/g, '_').replace(/^[_0-9]+|_+$/g, '')
}
