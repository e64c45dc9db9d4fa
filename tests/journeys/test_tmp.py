def test_a(tiny):
    import sys, functools; print = functools.partial(__builtins__["print"], file=open("/tmp/o.txt","w"), flush=True)
    s=tiny.ingest(); print(s.code, s.out, s.sentences)
    import time
    for w in (["score","--as-of","2024-03-31","--rule"],["score","--as-of","2024-03-31","--rule","--json"],["score","--as-of","2024-03-31"],["score","--as-of","2023-03-31","--rule"],["score","--as-of","2024-04-01","--rule"],["features","--as-of","2024-03-31","--out",str(tiny.root/"f.parquet")],["train"],["train","--until","2030-01-01"]):
        t=time.time(); s=tiny.run(*w); print("=====",w,s.code, s.sentences, round(time.time()-t,1)); print(s.out)
    t=time.time(); tiny.change("payments.csv","P1,L1,2024-02-14,110","P1,L1,2024-02-30,110"); s=tiny.ingest("2024-04-01"); print(s, time.time()-t)
    assert 0
