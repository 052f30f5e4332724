import { type Channel, describe } from '@escapement/alerts'

/** Sends a line for each notice to a topic of ntfy. */
export function ntfy({ topic, url = 'https://ntfy.sh' }: { topic: string; url?: string }): Channel {
  return {
    name: 'ntfy',
    async send(message, { signal }) {
      const { title, cards } = describe(message, { locale: 'en' })
      const lines = cards.map(
        ({ title, badge, error, sentence }) => `${title} ${badge}: ${error ?? sentence}`,
      )
      const priority = message.severity === 'critical' ? 5 : 3
      const response = await fetch(url, {
        method: 'POST',
        body: JSON.stringify({ topic, title, priority, message: lines.slice(0, 20).join('\n') }),
        signal,
      })
      if (!response.ok) throw new Error(`ntfy answered ${response.status}`)
    },
  }
}
