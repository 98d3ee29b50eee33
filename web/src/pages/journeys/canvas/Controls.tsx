// Nearer, farther, and the whole picture.
import { Panel, useReactFlow } from '@xyflow/react'
import { Maximize, Minus, Plus } from 'lucide-react'
import { Button } from '../../../ui/Button.tsx'
import { useJourneyTexts } from '../texts.ts'
import styles from './Canvas.module.css'

export function Controls({ onWhole, onZoom }: { onWhole: () => void; onZoom: () => void }) {
  const t = useJourneyTexts()
  const flow = useReactFlow()
  const zoom = (by: 'zoomIn' | 'zoomOut') => {
    onZoom()
    void flow[by]()
  }
  return (
    <Panel position="bottom-left" className={styles.controls}>
      <Button small look="quiet" icon={<Plus />} aria-label={t('zoom_in')} onPress={() => zoom('zoomIn')} />
      <Button small look="quiet" icon={<Minus />} aria-label={t('zoom_out')} onPress={() => zoom('zoomOut')} />
      <Button small look="quiet" icon={<Maximize />} aria-label={t('zoom_whole')} onPress={onWhole} />
    </Panel>
  )
}
