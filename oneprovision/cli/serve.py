"""`serve`: OneForm as a server."""

import click

from oneprovision.cli.session import FormSession, pass_session


@click.command()
@click.option("--host", metavar="ADDRESS", help="Listen here (conf: host, else 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen here (conf: port, else 13013).")
@pass_session
def serve(session: FormSession, host: str | None, port: int | None) -> None:
    """Answer OneForm's REST API and carry out what is asked, until SIGTERM or Ctrl-C.

    \b
    oneprovision serve
    curl -u "$(cat ~/.local/share/one/one_auth)" http://127.0.0.1:13013/api/v1/provisions
    """
    try:
        from oneprovision.api.serving import Where, serve  # lazy: brings the web framework
    except ModuleNotFoundError as exc:
        raise click.ClickException(
            f"the server needs more than is installed ({exc.name} is missing): pip install 'onesuite[server]'"
        ) from exc
    from onecore.bootstrap import with_own_connection
    from onecore.deps import Deps
    from onecore.http.server import is_loopback
    from oneprovision.settings import form_settings

    first = session.own_deps()
    given = form_settings(first.settings.home)
    front = host or given.host

    def open_deps() -> Deps:
        return with_own_connection(first, session.schemas())

    def say(text: str) -> None:
        click.echo(text, err=True)

    if not is_loopback(front):
        say(f"{front} can be reached from elsewhere: put a proxy with TLS before it, passwords come in clear")
    serve(
        open_deps,
        Where(front, given.port if port is None else port, given.concurrency),
        session.redactor,
        say,
    )
