/** Validation as `kmswatch verify` does it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTrailFolder } from '../../services/cli/trail-folder.ts';
import { parseManifest } from '../../services/compliance/integrity/object-metadata.ts';
import { PublicKeys } from '../../services/compliance/integrity/public-keys.ts';
import { verifyTrails } from '../../services/compliance/integrity/verify.ts';

const folder = process.argv[2] ?? '';
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const publicKeys = new PublicKeys();
publicKeys.add(json('keys.json'), { name: 'keys.json', region: null });
let bytes = 0;
const cpu = process.cpuUsage();
const began = performance.now();
const copy = await openTrailFolder(join(folder, 'copy'), {
  metadata: parseManifest(json('manifest.json'), 'manifest.json'),
  onRead: (kind, read) => {
    if (kind === 'log') bytes += read;
  },
});
const { verdict } = await verifyTrails({ copy, publicKeys, period: { from: null, to: null }, concurrency: 4 });
if (verdict !== 'verified') throw new Error(`the made chain is ${verdict}`);
const [ms, { user, system }] = [performance.now() - began, process.cpuUsage(cpu)];
const rss_mb = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(JSON.stringify({ bytes, ms, cpu_ms: (user + system) / 1000, rss_mb }));
