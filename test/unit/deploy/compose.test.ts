/** `deploy/`: no container engine can be had here. What can be said without one: files parse, name what exists, and pass their own tools. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { configSchema } from '../../../services/workers/config.ts';

const DEPLOY = resolve('deploy');
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>> | readonly string[];
  readonly read_only?: boolean;
}

const compose = parse(read('compose.yaml')) as { services: Record<string, ComposeService>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);
const REFERENCE = readFileSync('docs/reference/configuration.md', 'utf8');

describe('compose.yaml', () => {
  test.each(services)(
    '%s: every mounted path exists, every volume and dependency is declared, ports are of this machine only',
    (_name, service) => {
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':');
        const isThere = from.startsWith('.') ? existsSync(resolve(DEPLOY, from)) : from in compose.volumes;
        expect([from, isThere]).toEqual([from, true]);
      }
      const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
      for (const name of needed) expect(Object.keys(compose.services)).toContain(name);
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      expect(service.image ?? 'built:1').toMatch(/:v?\d/);
    },
  );

  test('gives the service only variables that it has, and a configuration that is valid and asks for tokens', () => {
    const service = compose.services['kmswatch'];
    for (const name of Object.keys(service?.environment ?? {}))
      expect([name, name === 'KMSWATCH_CONFIG' || REFERENCE.includes(`\`${name}\``)]).toEqual([name, true]);
    expect(service?.read_only).toBe(true);
    const config = configSchema.parse({ ...(parse(read('kmswatch.yaml')) as object), listen: service?.environment?.['KMSWATCH_LISTEN'] });
    expect(config.api.authentication).toBe('token');
  });

  test('every variable with a default is a password or said on top', () => {
    const names = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    expect(new Set(names)).toEqual(new Set(['KMSWATCH_ARGS', 'KMSWATCH_DB_PASSWORD', 'GRAFANA_DB_PASSWORD', 'GRAFANA_ADMIN_PASSWORD']));
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  test('copies what exists and what .dockerignore lets through, and runs as nobody special with a health check', () => {
    const copied = lines.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(' ').slice(1, -1));
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect([...new Set(copied)].toSorted()).toEqual(allowed.toSorted());
    for (const path of copied) expect([path, existsSync(path)]).toEqual([path, true]);
    expect(lines).toContain('USER node');
    expect(lines.some((line) => line.startsWith('HEALTHCHECK'))).toBe(true);
    expect(lines.some((line) => /apt-get|python|make /.test(line))).toBe(false);
  });

  test('has every package that the code imports among those that it installs', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
    const files = readdirSync('services', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const imported = files.flatMap((file) =>
      [...readFileSync(join('services', file), 'utf8').matchAll(/^(?:import|export)[^'"]* from '([^'.][^']*)'/gm)].map(
        ([, name = '']) => name,
      ),
    );
    const packages = new Set(
      imported
        .filter((name) => !name.startsWith('node:'))
        .map((name) =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    );
    expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
  });
});

describe('Prometheus, Alertmanager and Grafana', () => {
  test('promtool accepts prometheus.yml with the rules where compose mounts them', () => {
    expect(compose.services['prometheus']?.volumes).toContain('../dashboards/alerts:/etc/prometheus/rules:ro');
    const folder = mkdtempSync(join(tmpdir(), 'kmswatch-deploy-'));
    try {
      writeFileSync(join(folder, 'prometheus.yml'), read('prometheus.yml').replace('/etc/prometheus/rules', resolve('dashboards/alerts')));
      expect(execFileSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')], { encoding: 'utf8' })).toMatch(
        /SUCCESS: 2 rule files found/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('amtool accepts alertmanager.yml', () => {
    expect(execFileSync('amtool', ['check-config', join(DEPLOY, 'alertmanager.yml')], { encoding: 'utf8' })).toContain('SUCCESS');
  });

  test('Grafana finds the dashboards where compose mounts them, and the datasources by the hosts of compose', () => {
    const { providers } = parse(read('grafana/provisioning/dashboards/kmswatch.yaml')) as { providers: { options: { path: string } }[] };
    expect(compose.services['grafana']?.volumes).toContain(`../dashboards/grafana/generated:${providers[0]?.options.path}:ro`);
    const home = compose.services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(existsSync(home.replace(providers[0]?.options.path ?? '', 'dashboards/grafana/generated'))).toBe(true);
    const { datasources } = parse(read('grafana/provisioning/datasources/kmswatch.yaml')) as {
      datasources: { type: string; url: string; secureJsonData?: object }[];
    };
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus', 'grafana-postgresql-datasource']);
    for (const { url } of datasources) expect(Object.keys(compose.services)).toContain(url.replace(/^http:\/\//, '').split(':')[0]);
    expect(JSON.stringify(datasources)).toContain('$GRAFANA_DB_PASSWORD');
  });
});

describe('Kubernetes and systemd', () => {
  test('the kustomization names what exists, and pods may do nothing that they need not', () => {
    const kustomization = parse(read('kubernetes/kustomization.yaml')) as {
      resources: string[];
      configMapGenerator: { files: string[] }[];
    };
    for (const file of [...kustomization.resources, ...kustomization.configMapGenerator.flatMap(({ files }) => files)]) {
      expect([file, existsSync(join(DEPLOY, 'kubernetes', file))]).toEqual([file, true]);
      for (const document of parseAllDocuments(read(`kubernetes/${file}`))) expect(document.errors).toEqual([]);
    }
    expect(read('kubernetes/kmswatch.yaml')).toBe(read('kmswatch.yaml'));
    const text = read('kubernetes/deployment.yaml');
    for (const line of [
      'runAsNonRoot: true',
      'readOnlyRootFilesystem: true',
      'allowPrivilegeEscalation: false',
      'drop: [ALL]',
      'path: /healthz',
      'path: /readyz',
    ])
      expect(text).toContain(line);
  });

  test('the unit starts the command that exists, without rights', () => {
    const unit = read('systemd/kmswatch.service');
    expect(unit).toContain('/opt/kmswatch/bin/kmswatch.mjs run');
    expect(existsSync('bin/kmswatch.mjs')).toBe(true);
    for (const line of ['DynamicUser=yes', 'ProtectSystem=strict', 'NoNewPrivileges=yes', 'StateDirectory=kmswatch'])
      expect(unit).toContain(line);
  });
});
