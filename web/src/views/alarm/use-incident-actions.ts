import type { Incident } from '@tickwheel/contract'
import { ElMessage } from 'element-plus'
import { acknowledgeIncident, closeIncident, silenceIncident } from '../../api/alarms.ts'
import { isMeant } from '../../components/ask.ts'
import { problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'
import { targetWords } from './incident-words.ts'

/** What a person does about an incident; each says what became of it. */
export function useIncidentActions(replace: (incident: Incident) => void) {
  async function tried(work: () => Promise<Incident>, done: string): Promise<void> {
    try {
      replace(await work())
      ElMessage.success(done)
    } catch (refused) {
      ElMessage.error(problemWords(refused))
    }
  }

  async function close(incident: Incident): Promise<void> {
    const named = { what: t(`alarms.events.${incident.event}`), about: targetWords(incident.target) }
    if (!(await isMeant({ title: t('alarms.incidents.closeTitle'), text: t('alarms.incidents.closeText', named), confirm: t('alarms.incidents.close') }))) return
    await tried(() => closeIncident(incident.id), t('alarms.incidents.closed'))
  }

  return {
    acknowledge: (incident: Incident) => tried(() => acknowledgeIncident(incident.id), t('alarms.incidents.acknowledged')),
    silence: (incident: Incident, until: string | null) => tried(() => silenceIncident(incident.id, until), t(until === null ? 'alarms.incidents.unsilenced' : 'alarms.incidents.silenced')),
    close,
  }
}
