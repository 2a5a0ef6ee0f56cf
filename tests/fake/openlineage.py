#!/usr/bin/env python3
"""Whether each line of a file is an OpenLineage RunEvent as specification 2-0-2 and its facets have it: the keys that must be
there, their types, no others. openlineage.py FILE [KEY]: with KEY prints `type job key` of each, key a dotted path ('-': not there).
"""
import json
import re
import sys
import uuid

BASE = 'https://openlineage.io/spec/'
TEXT, NUMBER, LIST, MAP = str, int, list, dict
# name: version, type, {key: (kind, must)}
FACETS = {
    'nominalTime': ('1-0-1', 'NominalTimeRunFacet', {'nominalStartTime': ('time', True), 'nominalEndTime': ('time', False)}),
    'parent': ('1-2-0', 'ParentRunFacet', {'run': (MAP, True), 'job': (MAP, True)}),
    'processing_engine': ('1-1-1', 'ProcessingEngineRunFacet', {'version': (TEXT, True), 'name': (TEXT, False)}),
    'errorMessage': ('1-0-1', 'ErrorMessageRunFacet', {'message': (TEXT, True), 'programmingLanguage': (TEXT, True)}),
    'jobType': ('2-0-4', 'JobTypeJobFacet', {'processingType': (TEXT, True), 'integration': (TEXT, True), 'jobType': (TEXT, False)}),
    'documentation': ('1-1-0', 'DocumentationJobFacet', {'description': (TEXT, True)}),
    'sql': ('1-1-0', 'SQLJobFacet', {'query': (TEXT, True), 'dialect': (TEXT, False)}),
    'version': ('1-0-1', 'DatasetVersionDatasetFacet', {'datasetVersion': (TEXT, True)}),
    'schema': ('1-2-0', 'SchemaDatasetFacet', {'fields': (LIST, False)}),
    'outputStatistics': ('1-0-2', 'OutputStatisticsOutputDatasetFacet', {'rowCount': (NUMBER, False)}),
}
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')


def need(ok, what):
    if not ok:
        raise SystemExit('line %d: %s' % (number, what))


def keys(value, must, may, where):
    need(isinstance(value, dict), where + ' is no map')
    need(set(must) <= set(value) <= set(must) | set(may), '%s has %s' % (where, sorted(value)))


def facets(value, names, where):
    need(set(value) <= set(names), '%s: %s' % (where, sorted(value)))
    for name, f in value.items():
        version, kind, has = FACETS[name]
        keys(f, ['_producer', '_schemaURL'] + [k for k, (_, must) in has.items() if must], has, name)
        need(f['_schemaURL'] == '%sfacets/%s/%s.json#/$defs/%s' % (BASE, version, kind, kind), f['_schemaURL'])
        for k, (type_, _) in has.items():
            need(k not in f or (TIME.match(f[k]) if type_ == 'time' else isinstance(f[k], type_)), '%s.%s: %s' % (name, k, f.get(k)))


def check(d):
    keys(d, ['eventTime', 'eventType', 'run', 'job', 'inputs', 'outputs', 'producer', 'schemaURL'], [], 'the event')
    need(TIME.match(d['eventTime']), d['eventTime'])
    need(d['eventType'] in ('START', 'COMPLETE', 'FAIL', 'ABORT'), d['eventType'])
    need(re.match('[a-z]+:', d['producer']), d['producer'])
    need(d['schemaURL'] == BASE + '2-0-2/OpenLineage.json#/$defs/RunEvent', d['schemaURL'])
    keys(d['run'], ['runId', 'facets'], [], 'run')
    need(str(uuid.UUID(d['run']['runId'])) == d['run']['runId'], d['run']['runId'])
    facets(d['run']['facets'], ['nominalTime', 'parent', 'processing_engine', 'errorMessage'], 'run')
    parent = d['run']['facets']['parent']
    keys(parent['run'], ['runId'], [], 'parent')
    keys(parent['job'], ['namespace', 'name'], [], 'parent')
    need(str(uuid.UUID(parent['run']['runId'])) == parent['run']['runId'], 'parent')
    keys(d['job'], ['namespace', 'name', 'facets'], [], 'job')
    facets(d['job']['facets'], ['jobType', 'documentation', 'sql'], 'job')
    for i, s in enumerate(d['inputs'] + d['outputs']):
        keys(s, ['namespace', 'name', 'facets'], ['outputFacets'] if i >= len(d['inputs']) else [], 'a dataset')
        facets(s['facets'], ['version', 'schema'], 'a dataset')
        facets(s.get('outputFacets', {}), ['outputStatistics'], 'an output')


def at(d, path):
    for k in path.split('.'):
        d = d[int(k)] if isinstance(d, list) and int(k) < len(d) else d.get(k) if isinstance(d, dict) else None
    return '-' if d is None else d


for number, line in enumerate(open(sys.argv[1]), 1):
    event = json.loads(line)
    check(event)
    if len(sys.argv) > 2:
        print(event['eventType'], event['job']['name'], at(event, sys.argv[2]))
