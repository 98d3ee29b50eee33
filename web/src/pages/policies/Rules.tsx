// Which rule holds where, as one table that shows what was tightened, and the files they come from.
import { ShieldCheck, ShieldPlus } from 'lucide-react'
import type { Policies, PolicyRow } from '../../api/definitions.ts'
import { useGet } from '../../api/hooks.ts'
import { Loaded } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Card } from '../../ui/Card.tsx'
import { Code } from '../../ui/Code.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { useEdges } from '../../ui/edges.ts'
import { Badge } from '../../ui/State.tsx'
import styles from './policies.module.css'
import { nameOfRule, ruleLines, scopeParts, valueOfRule } from './rules.ts'
import { usePolicyTexts } from './texts.ts'

const EXAMPLE = `policy: global
consent: {service: none, marketing: opt_in}
quiet_hours:
  - {from: "21:00", to: "08:00", purposes: [marketing]}
caps:
  - {purpose: marketing, max: 3, within: 7d}
`

export function Rules() {
  const t = usePolicyTexts()
  const policies = useGet<Policies>('/policies')
  return (
    <Loaded query={policies} lines={8}>
      {(data) =>
        data.policies.length === 0 ? (
          <Empty icon={<ShieldCheck />} title={t('none_yet')} snippet={EXAMPLE}>
            {t('none_yet_text')}
          </Empty>
        ) : (
          <div className="stack">
            <Effective policies={data} />
            <Card title={t('files')}>
              <div className="stack tight">
                {data.policies.map((policy) => (
                  <details key={policy.file} id={policy.policy} className={styles.file}>
                    <summary>
                      <b>{policy.title ?? policy.policy}</b> <code className="muted">{policy.file}</code>
                    </summary>
                    <Code label={policy.file} value={policy.source} />
                  </details>
                ))}
              </div>
            </Card>
          </div>
        )
      }
    </Loaded>
  )
}

function Effective({ policies }: { policies: Policies }) {
  const t = usePolicyTexts()
  const edges = useEdges<HTMLDivElement>()
  const scopes = policies.effective.map((each) => each.scope)
  const lines = ruleLines(policies.effective)
  const nameOf = (scope: string) => {
    const { kind, name } = scopeParts(scope)
    return kind === 'global' ? t('everywhere') : `${t(kind)} ${name}`
  }
  return (
    <Card flush title={t('what_holds')} actions={<Legend />}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={edges} className={styles.scroll} tabIndex={0} role="region" aria-label={t('what_holds')}>
        <table className={styles.rules}>
          <thead>
            <tr>
              <th scope="col">{t('rule')}</th>
              {scopes.map((scope) => (
                <th key={scope} scope="col">
                  {nameOf(scope)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.rule}>
                <th scope="row">
                  {nameOfRule(line.rule, t)}
                  <code className={styles.code}>{line.rule}</code>
                </th>
                {scopes.map((scope) => (
                  <Cell
                    key={scope}
                    scope={nameOf(scope)}
                    rows={line.cells.get(scope) ?? []}
                    inherited={scope !== 'global'}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}

function Legend() {
  const t = usePolicyTexts()
  return (
    <span className={styles.legend}>
      <Badge tone="warn">
        <ShieldPlus aria-hidden /> {t('tightened')}
      </Badge>
      <span className="muted">{t('tightened_means')}</span>
    </span>
  )
}

/** On narrow screens a scope is named in its cell, and stands there only where it tightens something. */
function Cell({ scope, rows, inherited }: { scope: string; rows: PolicyRow[]; inherited: boolean }) {
  const t = usePolicyTexts()
  const names = useNames()
  const same = inherited && !rows.some((row) => row.tightened)
  if (rows.length === 0)
    return (
      <td data-scope={scope} className={join('muted', same && styles.same)}>
        –
      </td>
    )
  return (
    <td data-scope={scope} className={same ? styles.same : undefined}>
      {rows.map((row, index) => (
        <span
          key={index}
          className={join(styles.value, row.tightened && styles.tight, inherited && !row.tightened && styles.inherited)}
          title={t('from', { policy: row.from })}
        >
          {valueOfRule(row, t, names.channel)}
          {row.tightened && (
            <span className={styles.from}>
              <ShieldPlus aria-label={t('tightened')} /> {row.from}
            </span>
          )}
        </span>
      ))}
    </td>
  )
}
