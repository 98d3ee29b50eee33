import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readDefinition } from './document.ts'
import { insert, removeStep, rename, rewire, setField } from './edit.ts'
import { differences, draw, ENTRY, numbersFor, walk } from './graph.ts'
import { place } from './layout.ts'

const CART = `# Remind of a cart that was left.
journey: cart
purpose: marketing
entry: {event: Cart Updated}
exit:
  - event: Order Completed      # at once, also during a wait
steps:
  - id: hold
    wait: {event: Order Completed, timeout: 1h}   # an hour is enough
    next: {matched: end, timeout: remind}

  # Only once.
  - id: remind
    send: {template: reminder, channels: [sms, email]}
    next: {sent: later, suppressed: end, failed: end}
  - id: later
    wait: {for: 24h}
  - id: worth
    branch:
      - {when: profile.traits.tier == "gold", to: call}
      - {otherwise: end}
  - id: call
    emit: {event: Call Wanted}
`
const AROUND = { templates: ['reminder'], channels: ['email'], journeys: ['cart'] }
const EXAMPLES = new URL('../../../../../examples/', import.meta.url).pathname
const arrows = (text: string) =>
  draw(readDefinition(text)).arrows.map((arrow) => `${arrow.from} -> ${arrow.to.replace(/@stop:.*/, 'end')}`)
const ways = (text: string, id: string) => readDefinition(text).byId.get(id)?.ways ?? []

test('a journey is drawn with every way that leads on', () => {
  expect(arrows(CART)).toEqual([
    '@entry -> hold',
    'hold -> end',
    'hold -> remind',
    'remind -> later',
    'remind -> end',
    'later -> worth',
    'worth -> call',
    'worth -> end',
    'call -> end',
  ])
})

test('ways between the same two steps are one arrow that names them', () => {
  const arrow = draw(readDefinition(CART)).arrows.find((each) => each.id === 'remind→@stop:remind')
  expect(arrow?.ways.map((way) => way.outcome)).toEqual(['suppressed', 'failed'])
})

test('the end of a branch leads to where the branches join', () => {
  const text = `journey: p
steps:
  - id: both
    parallel:
      branches:
        - - {id: a, wait: {for: 1d}}
        - - {id: b, wait: {event: X, timeout: 1d}, next: {matched: end, timeout: c}}
          - {id: c, emit: {event: Y}}
  - {id: after, end: }
`
  expect(arrows(text)).toEqual([
    '@entry -> both',
    'both -> a',
    'both -> b',
    '@join:both -> after',
    'a -> @join:both',
    'b -> @join:both',
    'b -> c',
    'c -> @join:both',
  ])
})

test.each([
  ['not: [closed', 1],
  ['just words', 1],
  ['', 1],
])('what is not a journey is drawn as nothing: %j', (text, line) => {
  const definition = readDefinition(text)
  expect(definition.broken?.line).toBe(line)
  expect(draw(definition).boxes.map((box) => box.id)).toEqual([ENTRY])
})

const EDITS: [string, (text: string) => string, string[], string[]][] = [
  [
    'another timeout',
    (text) => setField(text, 'hold', ['wait', 'timeout'], '2h'),
    ['    wait: {event: Order Completed, timeout: 1h}   # an hour is enough'],
    ['    wait: {event: Order Completed, timeout: 2h} # an hour is enough'],
  ],
  [
    'a wait for a time instead of an event',
    (text) => setField(text, 'hold', ['wait'], { for: '1d' }),
    [
      '    wait: {event: Order Completed, timeout: 1h}   # an hour is enough',
      '    next: {matched: end, timeout: remind}',
    ],
    ['    wait: {for: 1d} # an hour is enough', '    next: end'],
  ],
  [
    'another list of channels',
    (text) => setField(text, 'remind', ['send', 'channels'], ['email']),
    ['    send: {template: reminder, channels: [sms, email]}'],
    ['    send: {template: reminder, channels: [email]}'],
  ],
  [
    'a field taken out',
    (text) => setField(text, 'hold', ['wait', 'timeout'], ''),
    [
      '    wait: {event: Order Completed, timeout: 1h}   # an hour is enough',
      '    next: {matched: end, timeout: remind}',
    ],
    ['    wait: {event: Order Completed} # an hour is enough', '    next: {matched: end}'],
  ],
  [
    'a way that leads elsewhere',
    (text) => rewire(text, 'remind', ways(text, 'remind').slice(2), 'later'),
    ['    next: {sent: later, suppressed: end, failed: end}'],
    ['    next: {sent: later, suppressed: end, failed: later}'],
  ],
  ['a way that was not written', (text) => rewire(text, 'call', ways(text, 'call'), 'later'), [], ['    next: later']],
  [
    'another name, wherever it is named',
    (text) => rename(text, 'remind', 'nudge'),
    ['    next: {matched: end, timeout: remind}', '  - id: remind'],
    ['    next: {matched: end, timeout: nudge}', '  - id: nudge'],
  ],
  ['a name that exists already', (text) => rename(text, 'remind', 'later'), [], []],
  [
    'a step between two others',
    (text) => insert(text, 'later', ways(text, 'later'), 'wait', AROUND).text,
    [],
    ['  - id: wait', '    wait: {for: 1d}'],
  ],
  [
    'a step on one of several ways',
    (text) => insert(text, 'hold', ways(text, 'hold').slice(0, 1), 'emit', AROUND).text,
    ['    next: {matched: end, timeout: remind}'],
    ['    next: {timeout: remind}', '  - id: emit', '    emit: {event: Something Noticed}', '    next: end'],
  ],
  [
    'a step before the first',
    (text) => insert(text, ENTRY, [], 'send', AROUND).text,
    [],
    ['  - id: send', '    send: {template: reminder, channels: [email]}'],
  ],
  [
    'a step taken out',
    (text) => removeStep(text, 'later'),
    ['    next: {sent: later, suppressed: end, failed: end}', '  - id: later', '    wait: {for: 24h}'],
    ['    next: {sent: worth, suppressed: end, failed: end}'],
  ],
]

test.each(EDITS)('%s changes its own lines and no other', (_, make, removed, added) => {
  const before = CART.split('\n')
  const after = make(CART).split('\n')
  expect(before.filter((line) => !after.includes(line))).toEqual(removed)
  expect(after.filter((line) => !before.includes(line))).toEqual(added)
  for (const comment of ['# Remind of a cart', '# at once, also during', '# an hour is enough', '# Only once.']) {
    expect(after.join('\n')).toContain(comment)
  }
})

test('a text that is folded in another way keeps its folds', () => {
  const folded = CART.replace(
    'purpose: marketing',
    'purpose: marketing\ndescription: >-\n  reminds of a cart\n  that was left',
  )
  expect(rename(folded, 'later', 'soon')).toBe(folded.replaceAll('later', 'soon'))
})

test('a step put on a way leads on to where the way led', () => {
  const { text, id } = insert(CART, 'hold', ways(CART, 'hold').slice(0, 1), 'emit', AROUND)
  expect(arrows(text).slice(0, 4)).toEqual(['@entry -> hold', `hold -> ${id}`, 'hold -> remind', 'emit -> end'])
})

test('who came to a step that is taken out goes on to where it led', () => {
  const text = removeStep(CART, 'remind')
  expect(arrows(text).slice(0, 3)).toEqual(['@entry -> hold', 'hold -> end', 'hold -> later'])
})

const bare = (text: string) => text.replaceAll(/ +#/g, ' #')
const files = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /journeys\/.*\.yaml$/.test(file),
)
test.each(files)('in %s every edit can be taken back, and nothing else moves', (file) => {
  const text = readFileSync(join(EXAMPLES, file), 'utf8')
  for (const step of readDefinition(text).steps) {
    const { text: more, id } = insert(text, step.id, step.ways.slice(0, 1), 'wait', AROUND)
    if (step.kind === 'end' || step.ways.length === 0) continue
    expect(readDefinition(more).byId.has(id)).toBe(true)
    expect(new Set(arrows(removeStep(more, id)))).toEqual(new Set(arrows(text)))
    // Only the room before a comment on a line that was changed may differ.
    expect(bare(rename(rename(text, step.id, 'x_y'), 'x_y', step.id))).toBe(bare(text))
  }
})

function long(count: number): string {
  const steps = Array.from({ length: count }, (_, at) => {
    const next = `step_${at + 1}`
    if (at === count - 1) return `  - {id: step_${at}, end: }`
    if (at % 7 === 3) {
      return `  - id: step_${at}\n    branch:\n      - {when: profile.country == "DE", to: step_${Math.min(count - 1, at + 3)}}\n      - {otherwise: ${next}}`
    }
    if (at % 5 === 1)
      return `  - {id: step_${at}, wait: {event: X, timeout: 1d}, next: {matched: ${next}, timeout: end}}`
    if (at % 11 === 8) return `  - {id: step_${at}, goto: {to: step_${at - 4}, max: 3}}`
    return `  - {id: step_${at}, send: {template: hello, channels: [email]}, next: {sent: ${next}, suppressed: end, failed: end}}`
  })
  return `journey: long\nentry: {event: X}\nsteps:\n${steps.join('\n')}\n`
}

const overlap = (a: { x: number; y: number; width: number; height: number }, b: typeof a) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

test.each([1, 5, 50, 120])('the boxes and labels of %i steps do not lie over each other', (count) => {
  const drawing = draw(readDefinition(long(count)))
  const placed = place(drawing, (arrow) => arrow.ways.map((way) => way.outcome ?? ''))
  const boxes = [...placed.boxes.values()]
  const labels = [...placed.arrows.values()].map(({ label }) => ({
    ...label,
    x: label.x - label.width / 2,
    y: label.y - label.height / 2,
  }))
  expect(boxes.length).toBeGreaterThan(count)
  const all = [...boxes, ...labels]
  const pairs = all.flatMap((one, at) => all.slice(at + 1).filter((other) => overlap(one, other)))
  expect(pairs).toEqual([])
})

test('live numbers stand at their steps and ways, whatever the server calls the entry and the end', () => {
  const drawing = draw(readDefinition(CART))
  const node = (id: string, kind: string, waiting: number, passed: number, left = 0) => ({
    id,
    kind,
    title: '',
    detail: '',
    waiting,
    passed,
    left,
  })
  const numbers = numbersFor(drawing, {
    graph: {
      nodes: [
        node('entry', 'entry', 0, 10),
        node('hold', 'wait', 4, 6, 3),
        node('gone', 'send', 1, 1),
        node('finish', 'end', 0, 5),
      ],
      edges: [
        { from: 'entry', to: 'hold', label: '', count: 10 },
        { from: 'hold', to: 'finish', label: 'matched', count: 4 },
        { from: 'hold', to: 'remind', label: 'timeout', count: 2 },
      ],
    },
  })
  expect(numbers.boxes.get('hold')).toEqual({ waiting: 4, passed: 6, left: 3 })
  expect(numbers.boxes.get(ENTRY)).toEqual({ waiting: 0, passed: 10, left: 0 })
  expect(numbers.arrows.get('hold→remind')?.share).toBeCloseTo(1 / 3)
  expect(numbers.arrows.get('hold→@stop:hold')?.count).toBe(4)
  expect([...numbers.boxes.keys()]).toEqual([ENTRY, 'hold'])
})

test('who decided at some steps also passed the waits between them', () => {
  const taken = walk(draw(readDefinition(CART)), ['hold', 'remind', 'worth', 'call'])
  expect(taken.path).toEqual(['hold', 'remind', 'later', 'worth', 'call'])
  expect([...taken.arrows]).toEqual(['@entry→hold', 'hold→remind', 'remind→later', 'later→worth', 'worth→call'])
})

test('a step that nobody can come to from the one before still stands on the path', () => {
  expect(walk(draw(readDefinition(CART)), ['hold', 'call']).path).toEqual(['hold', 'call'])
})

test('two versions differ in the steps that were added, removed or changed', () => {
  const after = removeStep(setField(CART, 'hold', ['wait', 'timeout'], '2h'), 'call')
  expect([...differences(readDefinition(CART), readDefinition(after))]).toEqual([
    ['hold', 'changed'],
    ['worth', 'changed'],
    ['call', 'removed'],
  ])
})
