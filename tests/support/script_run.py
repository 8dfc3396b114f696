"""Runs a page by the protocol that the browser speaks, without a browser."""

from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection


def run(socket: ClientConnection, page: str = "", query: str = "", widgets: tuple[WidgetState, ...] = ()) -> list[ForwardMsg]:
    """Run the script once, with what was typed and pressed, and give all messages up to its end."""
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.query_string = query
    message.rerun_script.widget_states.widgets.extend(widgets)
    socket.send(message.SerializeToString())
    return _until(socket, "script_finished")


def answered(socket: ClientConnection, message: BackMsg, kind: str) -> ForwardMsg:
    """The next message of that kind, once this one is sent."""
    socket.send(message.SerializeToString())
    return _until(socket, kind)[-1]


def _until(socket: ClientConnection, kind: str) -> list[ForwardMsg]:
    received: list[ForwardMsg] = []
    while not received or received[-1].WhichOneof("type") != kind:
        answer = ForwardMsg()
        data = socket.recv(60)
        assert isinstance(data, bytes)
        answer.ParseFromString(data)
        received.append(answer)
    return received


def session_of(messages: list[ForwardMsg]) -> str:
    """The id of the Streamlit session that ran."""
    return next(message.new_session.initialize.session_id for message in messages if message.HasField("new_session"))


def drawn(messages: list[ForwardMsg]) -> list[Any]:
    """The elements that a run has drawn."""
    return [message.delta.new_element for message in messages if message.delta.HasField("new_element")]


def text(messages: list[ForwardMsg]) -> str:
    """All that a person could read of a run, and the protocol's text around it."""
    return "\n".join(str(element) for element in drawn(messages))
