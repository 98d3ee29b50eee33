// Small shared sums and names.
import type { Journey, ServerEdge, Version } from '../../api/definitions.ts'

/** `v7`; of a hash its first letters. */
export function versionName(version: Version): string {
  const text = String(version)
  return /^\d{1,6}$/.test(text) ? `v${text}` : text.slice(0, 7)
}

export const sameVersion = (one: Version | null | undefined, other: Version | null | undefined): boolean =>
  one !== null && one !== undefined && String(one) === String(other)

/** What was counted from one look to a later one. Who waits is who waits now. */
export function since(before: Journey, now: Journey): Pick<Journey, 'graph'> {
  const key = (edge: ServerEdge) => `${edge.from}→${edge.to}→${edge.label}`
  const counts = new Map(before.graph.edges.map((edge) => [key(edge), edge.count]))
  const then = new Map(before.graph.nodes.map((node) => [node.id, node]))
  return {
    graph: {
      nodes: now.graph.nodes.map((node) => ({
        ...node,
        passed: Math.max(0, node.passed - (then.get(node.id)?.passed ?? 0)),
        left: Math.max(0, node.left - (then.get(node.id)?.left ?? 0)),
      })),
      edges: now.graph.edges.map((edge) => ({
        ...edge,
        count: Math.max(0, edge.count - (counts.get(key(edge)) ?? 0)),
      })),
    },
  }
}
