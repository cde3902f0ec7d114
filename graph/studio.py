"""The graph as LangGraph Studio serves it: the server brings the checkpointer, every context field has a default."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from langchain_core.runnables import RunnableConfig
from langgraph_sdk.runtime import ServerRuntime

from graph.build import Compiled, build
from graph.context import Context
from graph.session import close
from tools.errors import OpsleuthError

_compiled = cache(build)


@asynccontextmanager
async def graph(config: RunnableConfig, runtime: ServerRuntime[Context]) -> AsyncIterator[Compiled]:
    """The graph for one use by the server. At the end of a run, however it ends, the run's session is closed.

    The server also asks for the graph to draw it and to read a thread's state, perhaps while that thread runs:
    then no session is touched. Our errors become RuntimeError: the server shows the messages of built-in errors only.
    """
    try:
        yield _compiled()
    except OpsleuthError as error:
        raise RuntimeError(str(error)) from error
    finally:
        if runtime.execution_runtime is not None:
            await asyncio.to_thread(close, str(config["configurable"]["thread_id"]))
