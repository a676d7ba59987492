"""The ACME account: one that is here, or what is needed to register one.

Rules of this file: files are looked at, and the CA is not asked, which would need a signed request.
EAB keys are never shown.
"""

from __future__ import annotations

from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Report
from certbot_jprs.ground.language import _
from certbot_jprs.machine.accounts import usable_accounts


def check(report: Report, case: Case) -> bool:
    """Checks that there is an account, or what is needed to make one.

    Args:
        report: where to write.
        case: the command.

    Returns:
        Whether the real command will register a new account.
    """
    config = case.config
    accounts = usable_accounts(str(config.accounts_dir))
    if accounts:
        _check_choice(report, case, accounts)
        return False
    if case.broken_rule:
        return True  # the rules are about EAB credentials, too
    if config.eab_kid and config.eab_hmac_key:
        _check_new_account(report, case)
    else:
        report.fail(
            _(
                "There is no account for {server} on this machine, and no EAB credentials were "
                "given. Add them to the command, --eab-kid KID --eab-hmac-key KEY (or "
                "--jprs-eab-file FILE); JPRS's designated reseller issues them, and they are "
                "good for 14 days."
            ).format(server=case.server)
        )
    return True


def _check_choice(report: Report, case: Case, accounts: list[str]) -> None:
    chosen = case.config.account
    if chosen is not None and chosen not in accounts:
        report.fail(
            _(
                "The account {account} that was given does not exist here. Leave --account out, "
                "or give one of: {accounts}"
            ).format(account=chosen, accounts=", ".join(accounts))
        )
    elif chosen is None and len(accounts) > 1 and not case.interactive:
        report.fail(
            _(
                "There are {count} accounts for {server} here, and with -n none can be chosen. "
                "Add one of them to the command: --account {accounts}"
            ).format(count=len(accounts), server=case.server, accounts=" | ".join(accounts))
        )
    else:
        report.ok(
            _("There is an account for {server} here: {accounts}").format(
                server=case.server, accounts=chosen or ", ".join(accounts)
            )
        )
    own = str(case.lineage.params.get("account", "")) if case.lineage is not None else ""
    same_ca = case.lineage is not None and case.lineage.server == case.server
    if own and same_ca and own not in accounts:
        report.warn(
            _(
                "The renewal file names the account {account}, which cannot be read here: "
                "automatic renewal will fail. Run the command once without --jprs-check, or "
                "correct the line `account = ` in {path}."
            ).format(account=own, path=case.lineage.renewal_file if case.lineage else "")
        )


def _check_new_account(report: Report, case: Case) -> None:
    config = case.config
    if not config.tos and not case.interactive:
        report.fail(_("The terms of service must be agreed to. Add to the command: --agree-tos"))
        return
    report.ok(
        _("EAB credentials are given: the real command registers an account with {server}").format(
            server=case.server
        )
    )
