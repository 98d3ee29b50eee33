// Which role may what, as one table.
import { Check } from 'lucide-react'
import { Card } from '../../ui/Card.tsx'
import { useEdges } from '../../ui/edges.ts'
import { ROLES, SCOPES, SCOPES_OF } from './roles.ts'
import styles from './settings.module.css'
import { useTexts } from './texts.ts'

export function Roles() {
  const t = useTexts()
  const edges = useEdges<HTMLElement>()
  return (
    <div className="stack">
      <p className="soft">{t('roles_text')}</p>
      <Card flush>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section ref={edges} className={styles.scroll} tabIndex={0} aria-label={t('roles')}>
          <table className={styles.roles}>
            <thead>
              <tr>
                <th scope="col">{t('scope')}</th>
                {ROLES.map((role) => (
                  <th key={role} scope="col">
                    {role}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {SCOPES.map((scope) => (
                <tr key={scope}>
                  <th scope="row">
                    {t(`scope_${scope}`)} <code className="muted">{scope}</code>
                  </th>
                  {ROLES.map((role) => (
                    <td key={role}>
                      {SCOPES_OF[role].includes(scope) ? <Check role="img" aria-label={t('yes')} /> : null}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </Card>
      <dl className={styles.meanings}>
        {ROLES.map((role) => (
          <div key={role}>
            <dt>{role}</dt>
            <dd className="soft">{t(`role_${role}`)}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
