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
    received: list[ForwardMsg] = []
    while not received or received[-1].WhichOneof("type") != "script_finished":
        answer = ForwardMsg()
        data = socket.recv(60)
        assert isinstance(data, bytes)
        answer.ParseFromString(data)
        received.append(answer)
    return received


def drawn(messages: list[ForwardMsg]) -> list[Any]:
    """The elements that a run has drawn."""
    return [message.delta.new_element for message in messages if message.delta.HasField("new_element")]


def text(messages: list[ForwardMsg]) -> str:
    """All that a person could read of a run, and the protocol's text around it."""
    return "\n".join(str(element) for element in drawn(messages))
