"""The two faces of the core: one waits with await, the other blocks. Both do the same steps."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import httpx

from openivr.client.effects import Alone, Ask, Got, Pause, Send, Step, Steps, Work
from openivr.client.errors import ClientError
from openivr.client.network import Address, Network, as_got, build_request, explain
from openivr.client.session import Session

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


def advance(steps: Generator[Step, Any, T], result: Any, error: ClientError | None) -> Step:
    return steps.send(result) if error is None else steps.throw(error)


class Awaiting:
    """Runs steps with await, for one event loop with any number of tasks."""

    def __init__(self, address: Address, network: Network) -> None:
        self.address, self.network = address, network
        self.transport = httpx.AsyncHTTPTransport(**network.transport_options())
        self.lock = asyncio.Lock()

    async def run(self, steps: Steps[T]) -> T:
        """The result of some steps."""
        result, error = None, None
        try:
            while True:
                step = advance(steps, result, error)
                result, error = None, None
                try:
                    result = await self.take(step)
                except ClientError as problem:
                    error = problem
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            steps.close()

    async def take(self, step: Step) -> Any:
        match step:
            case Send(ask):
                return await self.send(ask)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Alone(steps):
                async with self.lock:
                    return await self.run(steps)
            case Work(function):
                return await asyncio.to_thread(function)
        return None

    async def send(self, ask: Ask) -> Got:
        try:
            response = await self.transport.handle_async_request(
                build_request(self.address, self.network, ask)
            )
            try:
                return as_got(response, await response.aread())
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise explain(ask, error, self.address, self.network) from error


class Blocking:
    """Runs steps by blocking calls. Any number of threads can share it."""

    def __init__(self, address: Address, network: Network) -> None:
        self.address, self.network = address, network
        self.transport = httpx.HTTPTransport(**network.transport_options())
        self.lock = threading.Lock()

    def run(self, steps: Steps[T]) -> T:
        """The result of some steps."""
        result, error = None, None
        try:
            while True:
                step = advance(steps, result, error)
                result, error = None, None
                try:
                    result = self.take(step)
                except ClientError as problem:
                    error = problem
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            steps.close()

    def take(self, step: Step) -> Any:
        match step:
            case Send(ask):
                return self.send(ask)
            case Pause(seconds):
                time.sleep(seconds)
            case Alone(steps):
                with self.lock:
                    return self.run(steps)
            case Work(function):
                return function()
        return None

    def send(self, ask: Ask) -> Got:
        try:
            response = self.transport.handle_request(build_request(self.address, self.network, ask))
            try:
                return as_got(response, response.read())
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise explain(ask, error, self.address, self.network) from error


F = TypeVar("F", bound=Awaiting | Blocking)


class Faced(Generic[F]):
    """Something that a program uses through one of the faces."""

    def __init__(self, face: F, session: Session) -> None:
        self.face, self.session = face, session


class Call(Generic[P, T]):
    """A method written as steps. It is a coroutine function in `Client`, a function in `BlockingClient`."""

    def __init__(self, function: Callable[..., Steps[T]]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, owner: Faced[Awaiting], kind: Any) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, owner: Faced[Blocking], kind: Any) -> Callable[P, T]: ...
    def __get__(self, owner: Any, kind: Any) -> Any:
        if owner is None:
            return self

        def bound(*args: Any, **kwargs: Any) -> Any:
            return owner.face.run(self.function(owner, *args, **kwargs))

        bound.__name__, bound.__doc__ = self.function.__name__, self.function.__doc__
        return bound


def call(function: Callable[Concatenate[S, P], Steps[T]]) -> Call[P, T]:
    """Make a method of the steps that a function takes."""
    return Call(function)
