"""The research app's page Files by the protocol that the browser speaks: upload a file, download one."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pyarrow as pa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection

from tests.support.script_run import answered, drawn, run, session_of, text

PAGE = "files"
XSRF = "_streamlit_xsrf"


class FilesPage:
    """`ask` makes a request of this browser's: method, path, and what httpx takes."""

    def __init__(self, tab: ClientConnection, ask: Callable[..., httpx.Response]) -> None:
        self._tab, self._ask = tab, ask
        self._drawn: list[Any] = []
        self._session = session_of(self._run())
        self._token = ask("GET", "/_stcore/health").cookies[XSRF]

    def upload(self, name: str, content: bytes) -> None:
        """Into the top folder. The page says that it lies there."""
        request = BackMsg()
        request.file_urls_request.request_id = name
        request.file_urls_request.session_id = self._session
        request.file_urls_request.file_names.append(name)
        [urls] = answered(self._tab, request, "file_urls_response").file_urls_response.file_urls
        headers = {"X-Xsrftoken": self._token, "Sec-Fetch-Site": "same-origin"}
        put = self._ask("PUT", urls.upload_url, files={"file": (name, content)}, headers=headers, cookies={XSRF: self._token})
        assert put.status_code == 204, (put.status_code, put.text)
        state = FileUploaderState()
        state.uploaded_file_info.add(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        form = (
            WidgetState(id=self._one("file_uploader").id, file_uploader_state_value=state),
            WidgetState(id=self._one("checkbox").id, bool_value=False),
            WidgetState(id=self._button("Upload").id, trigger_value=True),
        )
        said = text(self._run(*form))
        assert "lies in your workspace now" in said, said

    def download(self, name: str) -> bytes:
        self._run()
        table = self._one("dataframe")
        names = pa.ipc.open_stream(table.arrow_data.data).read_all().column("name").to_pylist()
        rows = {"selection": {"rows": [names.index(name)], "columns": [], "cells": []}}
        self._run(WidgetState(id=table.id, string_value=json.dumps(rows)))
        request = BackMsg()
        request.backend_operation_request.request_id = name
        request.backend_operation_request.session_id = self._session
        request.backend_operation_request.deferred_file.file_id = self._one("download_button").deferred_file_id
        told = answered(self._tab, request, "backend_operation_response").backend_operation_response
        got = self._ask("GET", told.deferred_file.url)
        assert got.status_code == 200, got.text
        return got.content

    def _run(self, *widgets: WidgetState) -> list[ForwardMsg]:
        messages = run(self._tab, PAGE, widgets=widgets)
        self._drawn = drawn(messages)
        return messages

    def _one(self, kind: str) -> Any:
        """The first element of that kind."""
        return next(getattr(one, kind) for one in self._drawn if one.WhichOneof("type") == kind)

    def _button(self, label: str) -> Any:
        return next(one.button for one in self._drawn if one.WhichOneof("type") == "button" and one.button.label == label)
