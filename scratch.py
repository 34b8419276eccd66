import random,time
from tests.norms.builders import charter, norm, vocabulary
from normwright.charter.amending import diff
rng=random.Random(5)
acts={"respond":[]}
for i in range(8): acts[f"a{i}"]=["respond"]
for i in range(16): acts[f"b{i}"]=[f"a{i%8}"]
acts["decline"]=[]
facts={f"f{i}":"bool" for i in range(12)}|{"age":{"low":0,"high":120},"region":["x","y","z"]}
W=vocabulary(acts,facts)
def cond():
    parts=[]
    for f in rng.sample(sorted(facts),rng.randint(1,3)):
        if f=="age": parts.append({"fact":f,"at_least":rng.choice([13,16,18])})
        elif f=="region": parts.append({"fact":f,"in":["x","y"]})
        else: parts.append({"fact":f,"eq":rng.random()<.5})
    return {rng.choice(["all","all","any"]):parts}
def rn(i):
    layer=rng.choice(["global","polity","polity","organisation","individual"])
    kind=rng.choices(["prohibition","permission","obligation","guarantee","exemption","ideal"],[5,3,2,1,1,1])[0]
    kw={}
    if layer=="polity": kw["authority"]=rng.choice(["EU","BR","city"])
    if rng.random()<.25: kw["valid_from"]=rng.choice(["2025-02-02","2026-08-02","2026-12-02"])
    if rng.random()<.3: kw["bearer"]={"actor":["assistant","agent"]}
    if rng.random()<.2: kw["counterparty"]=["human","public"]
    if rng.random()<.2: kw["scope"]={"channels":["output","action"]}
    act=rng.choice([a for a in acts if a not in("decline","respond")])
    return norm(id=f"n{i}",kind=kind,layer=layer,act=act,condition=cond(),severity=rng.randint(1,5),on_unknown="ask",**kw)
ns=[rn(i) for i in range(60)]
def variants():
    i=next(i for i,n in enumerate(ns) if n.kind=="prohibition"); 
    yield "drop prohibition", [n for j,n in enumerate(ns) if j!=i]
    i=next(i for i,n in enumerate(ns) if n.kind=="obligation")
    yield "drop obligation", [n for j,n in enumerate(ns) if j!=i]
    yield "replace 3", ns[3:]+[rn(100),rn(101),rn(102)]
import cProfile,pstats
for name,new in variants():
    t=time.process_time(); p=cProfile.Profile(); 
    d=diff(charter(W,ns),charter(W,new))
    print(name,round(time.process_time()-t,2),len(d.changed),d.open, {s:sum(r.seen==s for r in d.changed) for s in("known","feasible","unknown")},flush=True)
