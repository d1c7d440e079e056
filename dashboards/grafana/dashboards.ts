import { access } from './access.ts';
import { compliance } from './compliance.ts';
import type { DashboardSpec } from './dashboard.ts';
import { detections } from './detections.ts';
import { keys } from './keys.ts';
import { overview } from './overview.ts';
import { pipeline } from './pipeline.ts';

/** All dashboards, in the order in which people meet them. */
export const DASHBOARDS: readonly DashboardSpec[] = [overview, keys, access, detections, pipeline, compliance];
