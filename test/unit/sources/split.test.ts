import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../services/sources/limits.ts';
import { reasons, record, split, splitPieces, texts } from './splitting.ts';

const A = JSON.stringify(record(1));
const B = JSON.stringify(record(2));
const C = JSON.stringify(record(3));

describe('Splitter: forms', () => {
  it.each([
    ['a single record', A, [A]],
    ['one record a line', `${A}\n${B}\n`, [A, B]],
    ['lines with carriage returns and empty ones between', `${A}\r\n\r\n${B}\r\n`, [A, B]],
    ['records without anything between them', A + B, [A, B]],
    ['an S3 log file', `{"Records":[${A},${B}]}`, [A, B]],
    ['output of lookup-events', `{"NextToken":"x","Events":[${A},${B}]}`, [A, B]],
    ['a CloudWatch Logs message, list last', `{"messageType":"DATA_MESSAGE","subscriptionFilters":["a"],"logEvents":[${A},${B}]}`, [A, B]],
    ['a list first and other fields behind it', `{"Records":[${A}],"NextToken":{"a":["b"]}}\n${B}`, [A, B]],
    ['an array', ` [ ${A} , ${B} ] `, [A, B]],
    ['an array of containers', `[{"Records":[${A}]},{"Events":[${B}]},${C}]`, [A, B, C]],
    ['one container a line', `{"Records":[${A},${B}]}\n{"Records":[]}\n{"Records":[${C}]}\n`, [A, B, C]],
    ['containers without anything between them', `{"Records":[${A}]}{"Records":[${B}]}`, [A, B]],
    ['a mixture', `${A}\n[${B}]\n{"Records":[${C}]}`, [A, B, C]],
    ['a byte order mark', `\uFEFF${A}`, [A]],
    ['files with byte order marks one after the other', `\uFEFF{"Records":[${A}]}\n\uFEFF{"Records":[${B}]}`, [A, B]],
    ['nothing', '', []],
    ['white space', ' \r\n\t\n', []],
    ['only a byte order mark', '\uFEFF', []],
    ['no records in a log file', '{"Records":[]}', []],
    ['an empty array', '[]', []],
  ])('takes %s apart', (_, input, expected) => {
    const all = split(input);
    expect(texts(all)).toEqual(expected);
    expect(all.quarantined).toEqual([]);
  });

  it('gives pretty-printed records exactly as written', () => {
    const pretty = [1, 2].map((number) => JSON.stringify(record(number), null, 4));
    expect(texts(split(`{\n  "Records": [\n    ${pretty.join(',\n    ')}\n  ]\n}\n`))).toEqual(pretty);
    expect(texts(split(pretty.join('\n')))).toEqual(pretty);
  });

  it.each([
    ['{"a":1}'],
    ['{"Records":{"a":[1]}}'],
    ['{"records":[1]}'],
    ['{"detail":{"Records":[1]}}'],
    ['{"detail-type":"x","detail":{}}'],
    ['[[1,2]]'.slice(1, -1)],
  ])('hands on a value that is no container as it is: %s', (input) => {
    expect(texts(split(`[${input}]`))).toEqual([input]);
  });

  it('takes no record for a container', () => {
    const inner = '{"eventID":"1","Records":[{"a":1}]}';
    expect(texts(split(`{"Records":[${inner}]}`))).toEqual([inner]);
  });

  it('leaves duplicate keys, escapes and __proto__ as they are written', () => {
    const odd = '{"a":1,"a":2,"__proto__":{"x":"\\u0000\\ud800"},"n":12345678901234567890}';
    expect(texts(split(odd))).toEqual([odd]);
  });

  it('numbers records and quarantined inputs together and says where they lie', () => {
    const all = split(`${A}\nrubbish\n${B}`);
    expect(all.records.map(({ ordinal, offset }) => [ordinal, offset])).toEqual([
      [0, 0],
      [2, A.length + 9],
    ]);
    expect(all.quarantined).toMatchObject([
      { reason: 'invalid-json', ordinal: 1, offset: A.length + 1, length: 7, bytes: Buffer.from('rubbish') },
    ]);
  });

  it('copies no record of a buffer that is pushed as a whole', () => {
    const input = Buffer.from(`{"Records":[${A},${B}]}`);
    for (const { bytes, offset } of split(input).records) {
      expect(bytes.buffer).toBe(input.buffer);
      expect(bytes.byteOffset).toBe(input.byteOffset + offset);
    }
  });
});

describe('Splitter: bad input', () => {
  it.each([
    ['rubbish between lines', `${A}\nrubbish\n${B}`, ['invalid-json'], [A, B]],
    ['three bad lines in a row', `${A}\n{"a":\nnot json\n{"b":[}\n${B}`, ['invalid-json', 'invalid-json', 'invalid-json'], [A, B]],
    ['a line with its end cut off', `${A}\n${B.slice(0, 300)}\n${C}`, ['invalid-json'], [A, C]],
    ['a line cut off within a string', `${A}\n${B.slice(0, 20)}\n${C}`, ['invalid-json'], [A, C]],
    ['a line cut off before a value, the next one last', `{"a":\n${A}`, ['invalid-json'], [A]],
    ['rubbish between elements', `[${A}, rubbish, ${B}]`, ['invalid-json'], [A, B]],
    ['an element without its closing bracket', `{"Records":[${A},${B.slice(0, -1)},${C}]}`, ['invalid-json'], [A, C]],
    ['an element with a string left open', `{"Records":[${A},${B.replace('Decrypt"', 'Decrypt')},${C}]}`, ['invalid-json'], [A, C]],
    ['a string left open between elements', `{"Records":[${A},"oops,${B}]}`, ['invalid-json'], [A, B]],
    [
      'a container that breaks off before the next one',
      `{"Records":[${A},${B.slice(0, 300)}\n{"Records":[${C}]}`,
      ['invalid-json'],
      [A, C],
    ],
    ['a pretty-printed record that breaks off', `{\n  "a": {\n    "b": 1,\n${A}\n`, ['invalid-json'], [A]],
    ['a NUL in a string of a line', `{"a":"\u0000}\n${A}`, ['invalid-json'], [A]],
    ['a text that is no JSON at all', 'version 2\n', ['invalid-json'], []],
  ])('quarantines %s and keeps the neighbours', (_, input, why, kept) => {
    const all = split(input);
    expect(reasons(all)).toEqual(why);
    expect(texts(all)).toEqual(kept);
  });

  it('says that the input is cut off, once, and keeps what came before', () => {
    const input = `{"Records":[${A},${B}]}`;
    for (let length = 12; length < input.length; length++) {
      const all = split(input.slice(0, length));
      expect(reasons(all)).toEqual(['truncated']);
      expect(texts(all)).toEqual([A, B].slice(0, length < 12 + A.length ? 0 : length < 13 + A.length + B.length ? 1 : 2));
    }
    expect(reasons(split(`${A}\n${B.slice(0, -1)}`))).toEqual(['truncated']);
    expect(split(`${A}\n${B.slice(0, -1)}`).quarantined[0]?.bytes).toEqual(Buffer.from(B.slice(0, -1)));
  });

  it('gives the reason from below for what is cut off', () => {
    const problem = { reason: 'corrupt-gzip', message: 'damaged', bytes: Buffer.from('x') } as const;
    expect(splitPieces([Buffer.from(`{"Records":[${A},{"b`)], DEFAULT_LIMITS, problem)).toMatchObject({
      records: [{ ordinal: 0 }],
      quarantined: [{ reason: 'corrupt-gzip', ordinal: 1, bytes: Buffer.from('{"b') }],
    });
    expect(splitPieces([Buffer.from(`{"Records":[${A},`)], DEFAULT_LIMITS, problem).quarantined).toMatchObject([
      { reason: 'corrupt-gzip', ordinal: null, bytes: Buffer.from('x') },
    ]);
  });

  it('finds invalid UTF-8 in the record that has it, and only there', () => {
    const bad = Buffer.from(B);
    bad[B.indexOf('alice')] = 0xff;
    const input = Buffer.concat([Buffer.from(`{"Records":[${A},`), bad, Buffer.from(`,${C},{"ü":"€𝄞"}]}`)]);
    for (const size of [1, 2, 3, 7, input.length]) {
      const pieces = Array.from({ length: Math.ceil(input.length / size) }, (_, index) => input.subarray(index * size, (index + 1) * size));
      const all = splitPieces(pieces);
      expect(reasons(all)).toEqual(['invalid-utf8']);
      expect(texts(all)).toEqual([A, C, '{"ü":"€𝄞"}']);
    }
    expect(reasons(split(Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x0a])))).toEqual(['invalid-utf8']);
  });

  it('passes over a record of 100 MB, keeps its first 1 MiB and its neighbours', () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    const pieces = [Buffer.from(`{"Records":[${A},{"a":"`), ...Array.from({ length: 100 }, () => piece), Buffer.from(`"},${B}]}`)];
    const all = splitPieces(pieces);
    expect(texts(all)).toEqual([A, B]);
    expect(all.quarantined).toMatchObject([{ reason: 'too-large', offset: 13 + A.length, length: 100_000_008 }]);
    expect(all.quarantined[0]?.bytes.length).toBe(1_048_576);
  });

  it('takes a record of exactly the limit, and none with a byte more', () => {
    const limits = { maxRecordBytes: A.length, maxDepth: 256 };
    expect(texts(split(A, limits))).toEqual([A]);
    expect(reasons(split(`${A.slice(0, -1)} }`, limits))).toEqual(['too-large']);
  });

  it('passes over records of depth 10,000 and keeps their neighbours', () => {
    const deep = `${'{"a":['.repeat(5_000)}${']}'.repeat(5_000)}`;
    const all = split(`${A}\n${deep}\n{"Records":[${B},${deep},${C}]}`);
    expect(reasons(all)).toEqual(['too-deep', 'too-deep']);
    expect(texts(all)).toEqual([A, B, C]);
  });

  it('takes a record of exactly the depth limit, and none a level deeper', () => {
    const nested = (depth: number): string => '{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1);
    expect(texts(split(nested(256)))).toEqual([nested(256)]);
    expect(reasons(split(nested(257)))).toEqual(['too-deep']);
  });

  it('quarantines a digest file as a whole, wherever its keys stand', () => {
    const digest = JSON.stringify({ awsAccountId: '111122223333', digestS3Object: 'a', logFiles: [{ s3Object: 'b' }] });
    for (const form of [digest, JSON.stringify(JSON.parse(digest), null, 2)]) {
      const all = split(`${form}\n${A}`);
      expect(all.quarantined).toMatchObject([{ reason: 'digest-file', offset: 0, length: form.length, bytes: Buffer.from(form) }]);
      expect(texts(all)).toEqual([A]);
    }
    expect(reasons(split(`{"x":"${'y'.repeat(2_000_000)}","logFiles":[]}`))).toEqual(['digest-file']);
    expect(texts(split('{"responseElements":{"logFiles":[]}}'))).toHaveLength(1);
  });

  it.each([
    ['lines', '', 'no json here\n'],
    ['elements', '[', 'x,'],
    ['bytes', '', '\u0001\n\u0002x\n'],
  ])('lumps endless rubbish (%s) together, and finds the record behind it', (_, before, one) => {
    const all = split(`${before}${one.repeat(50_000)}\n${A}\n`);
    expect(all.quarantined.length).toBeLessThan(110);
    expect(texts(all)).toEqual([A]);
  });

  it.each([
    ['lines that never close', '{"a":\n'],
    ['lists that never close', '{"Records":['],
    ['damage after much nesting', '{"a":\n'.repeat(250) + '}]\n'],
    ['record beginnings in strings', ',{"eventVersion":"'],
    ['open quotes', '"'],
  ])('reads hostile input in a time that grows with its length only: %s', (_, one) => {
    const took = (length: number): number => {
      const input = Buffer.from(`[${one.repeat(length / one.length)}`);
      const { user } = process.cpuUsage();
      split(input);
      return (process.cpuUsage().user - user) / 1000;
    };
    took(200_000);
    expect(took(4_000_000)).toBeLessThan(Math.max(500, took(400_000) * 40));
  });
});
