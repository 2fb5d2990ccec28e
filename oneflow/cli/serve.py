"""`serve`: OneFlow as a server."""

from dataclasses import replace

import click

from oneflow.cli.session import FlowSession, pass_session


@click.command()
@click.option("--host", metavar="ADDRESS", help="Listen here (conf: host, else 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen here (conf: port, else 2474).")
@click.option("--gate", is_flag=True, help="Listen for VMs as well (OneGate).")
@click.option("--gate-host", metavar="ADDRESS", help="Where VMs reach it (the same as --host).")
@click.option("--gate-port", type=click.IntRange(0, 65535), help="Its port (conf: gate_port, else 5030).")
@pass_session
def serve(
    session: FlowSession,
    host: str | None,
    port: int | None,
    gate: bool,
    gate_host: str | None,
    gate_port: int | None,
) -> None:
    """Answer OneFlow's REST API and drive all services, until SIGTERM or Ctrl-C.

    \b
    oneflow serve
    oneflow serve --host 0.0.0.0 --gate
    curl -u "$(cat ~/.local/share/one/one_auth)" http://127.0.0.1:2474/service
    """
    try:
        from oneflow.api.serving import Where, serve  # lazy: brings the web framework
    except ModuleNotFoundError as exc:
        raise click.ClickException(
            f"the server needs more than is installed ({exc.name} is missing): pip install 'onesuite[server]'"
        ) from exc
    from onecore.bootstrap import with_own_connection
    from onecore.http.server import is_loopback
    from oneflow.bootstrap import flow_deps
    from oneflow.deps import FlowDeps
    from oneflow.usecases.gate import require_ours

    first = flow_deps(session.own_deps())
    flow = first.flow
    front = host or flow.host
    side = gate_host or front
    where = Where(front, flow.port if port is None else port)
    if gate or gate_port is not None or gate_host is not None:
        require_ours(first)
        where = replace(where, gate_host=side, gate_port=flow.gate_port if gate_port is None else gate_port)

    def open_deps() -> FlowDeps:
        return with_own_connection(first, session.schemas())

    def say(text: str) -> None:
        click.echo(text, err=True)

    if not is_loopback(front):
        say(f"{front} can be reached from elsewhere: put a proxy with TLS before it, passwords come in clear")
    serve(open_deps, where, session.redactor, say)
