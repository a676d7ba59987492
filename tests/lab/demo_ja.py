"""The words of the demonstration, in Japanese."""

from __future__ import annotations

# ruff: noqa: RUF001 - marks of full width

IN_JAPANESE = {
    "A private world: Apache serves {names} on port 80, a stand-in for JPRS\n"
    "issues certificates, and its OCSP server knows each of them only after {lag} seconds.": (
        "隔離された環境で、Apacheが {names} をポート80で公開しています。\n"
        "JPRSを模したサーバーが証明書を発行し、その情報は{lag}秒後にOCSPサーバーに登録されます。"
    ),
    "Root gets no namespaces here: until the end this container itself is that world.": (
        "ここではrootが名前空間を作成できないため、終了までこのコンテナ自体がその環境になります。"
    ),
    "The story:": "経過:",
    "issued": "発行",
    "OCSP good": "OCSPの応答good",
    "{clock}, {later} s later": "{clock}（発行から{later}秒）",
    "(known to the server from {clock}, asked {queries} times)": (
        "（情報登録は{clock}、問い合わせは{queries}回）"
    ),
    "served": "適用",
    "{clock}, {after} s after that: ": "{clock}（goodから{after}秒）: ",
    "({visits} visits meanwhile saw nothing earlier)": (
        "（この間{visits}回アクセスし、これより前には使用されていないことを確認）"
    ),
    "key": "鍵",
    "renewal": "更新",
    "certbot renew, through {plugin}": "certbot renew（{plugin} を使用）",
    "(run just now: not due)": "（実行して確認: 更新時期ではありません）",
    "scheduled by": "自動更新の設定",
    "{paths} on this machine": "このサーバーの {paths}",
    "nothing on this machine: packages of Certbot bring a timer;": (
        "このサーバーにはありません。パッケージのCertbotにはタイマーが含まれます。"
    ),
    "with pip's Certbot, add to cron: 0 0,12 * * * root certbot -q renew": (
        "pipのCertbotではcronに追加: 0 0,12 * * * root certbot -q renew"
    ),
    "NOT AS PROMISED: {broken}": "期待した結果と異なります: {broken}",
    "All as promised. Nothing of it is left on this machine.": (
        "すべて期待どおりです。このサーバーには何も残っていません。"
    ),
}
