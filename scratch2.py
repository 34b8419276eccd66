exec(open('scratch.py').read().split("import cProfile")[0])
import time,sys
import normwright.charter.amending.differing as D
b,a=charter(W,ns),charter(W,next(variants())[1])
s=D._Search(b,a)
t=time.process_time()
g=D.grouped(*s.resolvers,D.places(b,a))
print(len(list(D.places(b,a))),len(g),sum(not s._same(x[0],x[1]) for x in g),time.process_time()-t,flush=True)
s._facts=D.Facts(s._vocabulary); s._solver=s._prepared()
acts=sorted(acts)
import cProfile
p=cProfile.Profile(); p.enable()
t=time.process_time(); n=0
for old,new,where in g:
    if s._same(old,new): continue
    k={}
    for act in acts: k.setdefault((old.against_key(act),new.against_key(act)),[]).append(act)
    t0=time.process_time()
    r=list(s._in_place(old,new,tuple(where),acts))
    print(len(k),len(old.entries),len(r),round(time.process_time()-t0,2),flush=True)
    n+=1
    if time.process_time()-t>25: break
p.disable()
import pstats; pstats.Stats(p).sort_stats("cumtime").print_stats(18)
