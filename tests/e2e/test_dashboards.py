"""Every query of every panel and every rule, asked of a real Prometheus that scraped the demo with two processes of each service."""

import asyncio
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedServers
from tests.support.servers.paired_stack import paired_stack
from tests.support.servers.prometheus import running_prometheus
import json,time
from deploy.grafana.boards.registry import BOARDS

def test_explore(servers, tmp_path, topic_prefix):
    t0=time.time()
    def say(x): print(round(time.time()-t0,1),x,flush=True)
    with paired_stack(tmp_path/'s', servers, topic_prefix) as paired:
        say('started')
        with running_prometheus(tmp_path/'p', paired.targets) as prom:
            say('prom')
            sender=asyncio.run(paired.play(14))
            say(('played', sender.counts, sender.unanswered))
            time.sleep(3)
            empty=[]
            for b in BOARDS:
                for p in b.panels:
                    for q in p.queries:
                        e=q.expr.replace('$__rate_interval','1m')
                        for v in ('procedure','department','service','instance','channel'): e=e.replace('$'+v,'.*')
                        r=prom.query(e)
                        if not r or all(x['value'][1]=='NaN' for x in r): empty.append((b.uid,p.title,q.expr,q.empty_unless,len(r)))
            say('queried')
            for x in empty: print(x)
            names=prom.get('label/__name__/values')
            Path('/tmp/w/o2g/names.json').write_text(json.dumps(names))
            print([a['labels'] for a in prom.get('alerts')['alerts']])
    say('stopped')
