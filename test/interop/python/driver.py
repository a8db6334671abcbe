"""Carries out Python source that comes as lines of JSON and answers each with a line of JSON.

The value of the last expression is the answer; what JSON lacks comes as its repr.
"""

import ast
import json
import sys
import traceback

import interop_app

namespace = {name: value for name, value in vars(interop_app).items() if not name.startswith("__")}
answers = sys.stdout
sys.stdout = sys.stderr


def carry_out(source):
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<test>", "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last.value), "<test>", "eval"), namespace)


def answer(line):
    try:
        return {"value": carry_out(json.loads(line))}
    except BaseException as error:
        return {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}


print(json.dumps({"value": "ready"}), file=answers, flush=True)
for line in sys.stdin:
    print(json.dumps(answer(line), default=repr), file=answers, flush=True)
