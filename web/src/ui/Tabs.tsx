// Views of one thing. Which one is chosen belongs to the address, so the page holds it.
import { type ReactNode, useEffect } from 'react'
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components'
import { useEdges } from './edges.ts'
import styles from './Tabs.module.css'

export interface TabView<K extends string = string> {
  key: K
  label: ReactNode
  /** A number beside the label. */
  count?: number
  content: ReactNode
}

interface TabsProps<K extends string> {
  label: string
  views: readonly TabView<K>[]
  chosen: K
  onChoose: (key: K) => void
}

export function Tabs<K extends string>({ label, views, chosen, onChoose }: TabsProps<K>) {
  const list = useEdges<HTMLDivElement>()
  // On narrow screens the chosen one may stand beyond the edge.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever another one is chosen
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const room = list.current
      const tab = room?.querySelector<HTMLElement>('[aria-selected="true"]')
      if (room && tab) room.scrollLeft = tab.offsetLeft - (room.clientWidth - tab.offsetWidth) / 2
    })
    return () => cancelAnimationFrame(frame)
  }, [chosen])
  return (
    <AriaTabs className={styles.tabs} selectedKey={chosen} onSelectionChange={(key) => onChoose(key as K)}>
      <div className={styles.line}>
        <TabList ref={list} aria-label={label} className={styles.list}>
          {views.map((view) => (
            <Tab key={view.key} id={view.key} className={styles.tab}>
              {view.label}
              {view.count !== undefined && <span className={styles.count}>{view.count}</span>}
            </Tab>
          ))}
        </TabList>
      </div>
      {views.map((view) => (
        <TabPanel key={view.key} id={view.key} className={styles.panel}>
          {view.content}
        </TabPanel>
      ))}
    </AriaTabs>
  )
}
