"""The four clients of tritonclient behind one face, so that every test runs over each of them."""

import asyncio
import inspect

import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio

MODULES = {
    "http": tritonclient.http,
    "http.aio": tritonclient.http.aio,
    "grpc": tritonclient.grpc,
    "grpc.aio": tritonclient.grpc.aio,
}
TRANSPORTS = list(MODULES)


class Triton:
    """The methods of a client, called without await, with answers as dictionaries."""

    def __init__(self, transport, server):
        self.transport = transport
        self.is_grpc = transport.startswith("grpc")
        self._runner = asyncio.Runner()
        self._module = MODULES[transport]
        address = server.grpc if self.is_grpc else server.address
        # The clients of asyncio want a running loop when they are made.
        self.client = self._wait(self._make(address))

    async def _make(self, address):
        return self._module.InferenceServerClient(address)

    def close(self):
        self._wait(self.client.close())
        self._runner.close()

    def __getattr__(self, method):
        def call(*arguments, **options):
            if self.is_grpc and "as_json" in inspect.signature(getattr(self.client, method)).parameters:
                options["as_json"] = True
            return self._wait(getattr(self.client, method)(*arguments, **options))

        return call

    def input(self, name, array, datatype, binary=True):
        tensor = self._module.InferInput(name, array.shape, datatype)
        return tensor.set_data_from_numpy(array, **({} if self.is_grpc else {"binary_data": binary}))

    def output(self, name, binary=True, classes=0):
        options = {} if self.is_grpc else {"binary_data": binary}
        return self._module.InferRequestedOutput(name, class_count=classes, **options)

    def compression(self, algorithm):
        if self.is_grpc:
            return {"compression_algorithm": algorithm}
        return {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}

    def gather(self, requests):
        """Sends requests, each the arguments of infer, all at once."""
        if self.transport.endswith("aio"):
            return self._wait(self._gather(requests))
        if self.is_grpc:
            return self._call_back(requests)
        pending = [self.client.async_infer(**request) for request in requests]
        return [request.get_result() for request in pending]

    async def _gather(self, requests):
        return await asyncio.gather(*(self.client.infer(**request) for request in requests))

    def _call_back(self, requests):
        loop = asyncio.new_event_loop()
        futures = [loop.create_future() for _ in requests]

        def settle(future, result, error):
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        for request, future in zip(requests, futures, strict=True):
            def callback(result, error, future=future):
                loop.call_soon_threadsafe(settle, future, result, error)

            self.client.async_infer(callback=callback, **request)

        async def all_of_them():
            return await asyncio.gather(*futures)

        try:
            return loop.run_until_complete(all_of_them())
        finally:
            loop.close()

    def _wait(self, answer):
        if not inspect.isawaitable(answer):
            return answer

        async def waiting():
            return await answer

        return self._runner.run(waiting())
