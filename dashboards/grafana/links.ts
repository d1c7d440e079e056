/** Where cells of tables lead. */
import type { Column } from './panel.ts';

const VARIABLES = '${account:queryparam}&${region:queryparam}&${__url_time_range}';

export const KEY_LINK: Column = { link: { title: 'This key', url: `/d/kmswatch-keys?${VARIABLES}&var-key=\${__data.fields.key_arn}` } };
export const FINDING_LINK: Column = { link: { title: 'This finding', url: '${console}#finding-${__data.fields.id}' } };
export const RUNBOOK_LINK: Column = { link: { title: 'Its runbook', url: '${runbooks}/${__value.raw}.md' } };
export const HIDDEN: Column = { hidden: true };
