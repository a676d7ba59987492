"""The words in the pictures, in English and in Japanese."""

from __future__ import annotations

from collections.abc import Mapping

# ruff: noqa: RUF001 - marks of full width

EN: Mapping[str, str] = {
    "renewal": "One renewal: what the OCSP server knows, and what is served",
    "renewal, in full": (
        "Three time axes of 12 minutes. With the hook of JPRS's manual the new certificate is "
        "served after ten minutes; where something else reloads Apache meanwhile, already before "
        "the OCSP server knows it. With the plugin it is served right after the answer good, "
        "whoever reloads Apache."
    ),
    "manual": "JPRS's manual: a deploy hook that sleeps",
    "manual, reloaded": "The same, and something else reloads Apache (logrotate, an administrator)",
    "plugin, reloaded": "With the plugin, and something else reloads Apache as well",
    "OCSP": "OCSP server says",
    "hook": "deploy hook",
    "served": "served to visitors",
    "unknown": "unknown",
    "good": "good",
    "sleep": "sleep 10m",
    "held": "waits",
    "old": "the old certificate",
    "new": "the new one",
    "early": "the new one, too early",
    "minutes": "minutes since the new certificate was issued",
    "renewal, key": "▼ reload of Apache   │ query by the plugin   ◆ deploy hook runs",
    "renewal, scale": "Measured in the lab, where 1 second stands for {scale} seconds here.",
    "twenty": "Twenty renewals in one run of certbot renew: how long they wait",
    "twenty, in full": (
        "Twenty bars in each of three ways. Sleeping ten minutes each, and waiting one by one, the "
        "bars follow each other over hours; side by side they overlap, and end within minutes."
    ),
    "sleeping": "sleep 10m for each, as in JPRS's manual",
    "one by one": "Waited for one by one, until OCSP says good",
    "side by side": "Side by side, as the plugin does",
    "in all": "waiting adds {time} to the run",
    "hours": "hours",
    "twenty, scale": (
        "Measured in the lab, where 1 second stands for {scale} seconds; issuing, the gaps between "
        "the bars, looks that much longer."
    ),
    "h min": "{hours} h {minutes} min",
    "min s": "{minutes} min {seconds} s",
    "peers": "A new certificate in service before the OCSP server knows it",
    "peers, in full": (
        "For each ACME client, how many seconds the new certificate is served while the OCSP "
        "server still says unknown."
    ),
    "peers, head": "seconds served while OCSP says unknown",
    "peers, scale": (
        "Measured in the lab: the OCSP server knows a certificate {lag} seconds after it is issued."
    ),
    "seconds": "{seconds} s",
    "no account": "no account with JPRS: it has no EAB",
    "peers, table": (
        "| client | version | served while OCSP says `unknown` | `unknown` stapled to visitors |"
    ),
    "none": "never",
    "still": "{seconds} s, and still then",
    "demo": "make demo: a certificate, waited for and put into service",
}
JA: Mapping[str, str] = {
    "renewal": "1回の更新: OCSPサーバーの応答と、使用中の証明書",
    "renewal, in full": (
        "12分間の時間軸を3つ示す。JPRSのマニュアルのフックでは、新しい証明書は10分後に適用される。その間に"
        "Apacheが再読み込みされると、OCSPサーバーに登録される前に適用される。プラグインでは、いつ"
        "再読み込みされても、goodの応答の直後に適用される。"
    ),
    "manual": "JPRSのマニュアルの方法: deploy-hookで10分待機",
    "manual, reloaded": (
        "同じ方法で、待機中にApacheが再読み込みされた場合（logrotate、管理者の操作など）"
    ),
    "plugin, reloaded": "プラグインを使用し、同じように待機中にApacheが再読み込みされた場合",
    "OCSP": "OCSPサーバーの応答",
    "hook": "deploy-hook",
    "served": "使用中の証明書",
    "unknown": "unknown",
    "good": "good",
    "sleep": "sleep 10m",
    "held": "待機",
    "old": "古い証明書",
    "new": "新しい証明書",
    "early": "新しい証明書（早すぎる）",
    "minutes": "新しい証明書の発行からの時間（分）",
    "renewal, key": "▼ Apacheの再読み込み　│ プラグインの問い合わせ　◆ deploy-hookの実行",
    "renewal, scale": "検証環境で実測。検証環境の1秒を、この図では{scale}秒として示しています。",
    "twenty": "1回のcertbot renewで20枚を更新: 待機時間",
    "twenty, in full": (
        "3つの方法で20本の帯を示す。10分ずつsleepする方法と1枚ずつ待つ方法では、帯が数時間にわたって順に並ぶ。"
        "まとめて待つ方法では、帯が重なり、数分で終わる。"
    ),
    "sleeping": "1枚ごとにsleep 10m（JPRSのマニュアルの方法）",
    "one by one": "OCSPの応答がgoodになるまで、1枚ずつ待機",
    "side by side": "まとめて待機（プラグイン）",
    "in all": "待機で延びた時間: {time}",
    "hours": "時間",
    "twenty, scale": (
        "検証環境で実測。検証環境の1秒を{scale}秒として示しています。発行にかかる時間（帯の間隔）は、その分長く見えます。"
    ),
    "h min": "{hours}時間{minutes}分",
    "min s": "{minutes}分{seconds}秒",
    "peers": "OCSPサーバーに登録される前に使用された時間",
    "peers, in full": (
        "ACMEクライアントごとに、OCSPサーバーの応答がまだunknownの間に新しい証明書が使用された秒数を示す。"
    ),
    "peers, head": "応答がunknownの間に使用された秒数",
    "peers, scale": (
        "検証環境で実測。証明書の情報は、発行から{lag}秒後にOCSPサーバーに登録されます。"
    ),
    "seconds": "{seconds}秒",
    "no account": "JPRSのアカウントを発行できません（EABに未対応）",
    "peers, table": (
        "| クライアント | バージョン | OCSPの応答が`unknown`の間に使用 "
        "| `unknown`をステープリング |"
    ),
    "none": "なし",
    "still": "{seconds}秒間、測定の終了時も継続",
    "demo": "make demo: 証明書を発行し、待機して適用",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": EN, "ja": JA}


def duration(words: Mapping[str, str], seconds: float) -> str:
    """Returns a duration in words."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return words["h min"].format(hours=minutes // 60, minutes=minutes % 60)
    return words["min s"].format(minutes=minutes, seconds=rest)
