"""What the explanation of each of JPRS's errors must name, by JPRS's table and nothing else.

Rules of this file:

- Written from what JPRS documents of its errors (type, HTTP status, words, when), not from the
  plugin's texts: a row of the plugin's that says another thing than JPRS's table is noticed.
- Words, not sentences: what a reader must find in the meaning and in the next step, in English
  and in Japanese. ``test_explanations`` shows that no other error's explanation has them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """One of JPRS's errors, and what its explanation must name.

    Attributes:
        kind: the ACME error type without its prefix.
        status: the HTTP status.
        words: the server's message, with a value in brackets where it has one.
        value: that value.
        en: words of the meaning and words of the step, in English.
        ja: the same in Japanese.
    """

    kind: str
    status: int
    words: str
    value: str
    en: tuple[tuple[str, ...], tuple[str, ...]]
    ja: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def id(self) -> str:
        """A name for the test."""
        return f"{self.kind}-{self.words[:30].strip()}"

    def missing(self, code: str, meaning: str, step: str, value: str = "") -> list[str]:
        """Returns what an explanation does not name.

        Args:
            code: its language, ``en`` or ``ja``.
            meaning: what it says is wrong.
            step: what it says to do next.
            value: what the server put in brackets; this one's where none is given.
        """
        of_meaning, of_step = self.en if code == "en" else self.ja
        of_meaning = (value or self.value, *of_meaning)
        lacking = [word for word in of_meaning if word not in meaning]
        return [*lacking, *(word for word in of_step if word not in step)]


DIRECTORY = "/etc/letsencrypt/accounts/acme.amecert.jprs.jp"
SERVER = "https://acme.amecert.jprs.jp/DV/getDirectory"
EAB_OPTIONS = ("--eab-kid", "--eab-hmac-key", "--jprs-eab-file")

MEANINGS = (
    Meaning(
        "accountDoesNotExist",
        400,
        "The request specified an account that does not exist",
        "",
        (("does not know", "account"), ("reseller", "new EAB", DIRECTORY, *EAB_OPTIONS)),
        (("ACMEアカウント", "存在しません"), ("指定事業者", "新しいEAB", DIRECTORY, *EAB_OPTIONS)),
    ),
    Meaning(
        "alreadyRevoked",
        400,
        "The request specified a certificate to be revoked that has already been revoked: [1F2E3D]",
        "1F2E3D",
        (("revoked already",), ("certbot renew", "--force-renewal", "--cert-name")),
        (("すでに失効",), ("certbot renew", "--force-renewal", "--cert-name")),
    ),
    Meaning(
        "badCSR",
        400,
        "The CSR is unacceptable",
        "",
        (("CSR", "key"), ("RSA", "2048", "--csr", "--key-type rsa")),
        (("CSR", "鍵"), ("RSA", "2048ビット以上", "--csr", "--key-type rsa")),
    ),
    Meaning(
        "badNonce",
        400,
        "The client sent an unacceptable anti-replay nonce",
        "",
        (("nonce",), ("again", "https_proxy")),
        (("ノンス",), ("再度実行", "https_proxy")),
    ),
    Meaning(
        "badPublicKey",
        400,
        "The JWS was signed by a public key the server does not support",
        "",
        (("public key", "account"), ("reseller", "new EAB", DIRECTORY, *EAB_OPTIONS)),
        (("ACMEアカウント", "公開鍵"), ("指定事業者", "新しいEAB", DIRECTORY, *EAB_OPTIONS)),
    ),
    Meaning(
        "badRevocationReason",
        400,
        "The revocation reason provided is not allowed by the server: [9]",
        "9",
        (("not allow", "revocation reason"), ("--reason",)),
        (("失効理由", "許可されていません"), ("--reason",)),
    ),
    Meaning(
        "badSignatureAlgorithm",
        400,
        "The JWS was signed with an algorithm the server does not support: [ES521]",
        "ES521",
        (("algorithm", "signed"), ("Update Certbot", "RSA", "reseller")),
        (("署名アルゴリズム",), ("Certbotを更新", "RSA", "指定事業者")),
    ),
    Meaning(
        "caa",
        403,
        "CAA records forbid the CA from issuing a certificate",
        "",
        (("CAA", "domain above"), ("jprs.jp", "DNS", 'CAA 0 issue "jprs.jp"', "issuewild")),
        (("CAAレコード", "上位ドメイン"), ("jprs.jp", "DNS", 'CAA 0 issue "jprs.jp"', "issuewild")),
    ),
    Meaning(
        "connection",
        400,
        "The server could not connect to validation target : [www.example.jp]",
        "www.example.jp",
        (("could not connect", "validate"), ("A and AAAA", "port 80", "firewall")),
        (
            ("接続できませんでした", "ドメイン名利用権の確認"),
            ("Aレコード", "AAAAレコード", "ポート80", "ファイアウォール"),
        ),
    ),
    Meaning(
        "externalAccountRequired",
        400,
        "The request must include a value for the externalAccountBinding field",
        "",
        (("EAB", "had none"), ("reseller", *EAB_OPTIONS)),
        (("EAB", "含まれていません"), ("指定事業者", *EAB_OPTIONS)),
    ),
    Meaning(
        "invalidContact",
        400,
        "A contact URL for an account was invalid: [admin@]",
        "admin@",
        (("contact address", "cannot read"), ("-m",)),
        (("コンタクトメールアドレス", "正しくありません"), ("-m", "修正")),
    ),
    Meaning(
        "malformed",
        400,
        "The request information is invalid",
        "",
        (("missing", "wrong form"), ("-d", "-m", "EAB", "Certbot", "reseller")),
        (("必須項目", "形式"), ("-d", "-m", "EAB", "Certbot", "指定事業者")),
    ),
    Meaning(
        "malformed",
        400,
        "Unable to create account",
        "",
        (("EAB", "14 days", "mistyped", "too old", "contract"), ("reseller", "new", *EAB_OPTIONS)),
        (
            ("EAB", "14日", "入力の誤り", "有効期間の経過", "契約の終了"),
            ("指定事業者", "再発行", *EAB_OPTIONS),
        ),
    ),
    Meaning(
        "malformed",
        400,
        "The contact information is invalid:",
        "",
        (("one to six", "e-mail", "once"), ("-m", "comma")),
        (("1件以上6件以下", "メールアドレス", "重複"), ("-m", "コンマ")),
    ),
    Meaning(
        "malformed",
        400,
        "Please agree to the term of service.",
        "",
        (("terms of service", "not agreed"), ("--agree-tos",)),
        (("利用規約", "同意していません"), ("--agree-tos",)),
    ),
    Meaning(
        "malformed",
        400,
        "The FQDN is invalid: [a_b.example.jp]",
        "a_b.example.jp",
        (
            ("cannot issue", "not registered", "not paid", "period of use"),
            ("First", "reseller", "registered", "paid", "-d"),
        ),
        (
            ("発行できません", "登録されていない", "支払い", "利用期間"),
            ("まず", "指定事業者", "登録済み", "支払い済み", "-d"),
        ),
    ),
    Meaning(
        "malformed",
        400,
        "Validity period of application has been expired",
        "",
        (("order", "authorization", "expired"), ("again", "new order")),
        (("オーダー", "認可オブジェクト", "有効期限が切れ"), ("再度実行", "新しいオーダー")),
    ),
    Meaning(
        "malformed",
        400,
        "Unable to accept order",
        "",
        (("order", "authorization", "wrong state"), ("again", "new order")),
        (
            ("オーダー", "認可オブジェクト", "状態が正しくありません"),
            ("再度実行", "新しいオーダー"),
        ),
    ),
    Meaning(
        "malformed",
        400,
        "The certificate does not exist: [4D]",
        "4D",
        (("does not know", "revoked"), ("--cert-path", "--cert-name", "openssl x509", "issuer")),
        (("失効", "存在しません"), ("--cert-path", "--cert-name", "openssl x509", "issuer")),
    ),
    Meaning(
        "malformed",
        405,
        "The HTTP method is invalid: [PUT]",
        "PUT",
        (("HTTP method", "not allowed"), ("--server", SERVER, "https_proxy", "Certbot")),
        (("HTTPメソッド", "許可されていない"), ("--server", SERVER, "https_proxy", "Certbot")),
    ),
    Meaning(
        "malformed",
        415,
        "The content-type is invalid: [text/html]",
        "text/html",
        (("content type", "not allowed"), ("--server", SERVER, "https_proxy", "Certbot")),
        (("Content-Type", "許可されていない"), ("--server", SERVER, "https_proxy", "Certbot")),
    ),
    Meaning(
        "orderNotReady",
        403,
        "The request attempted to finalize an order that is not ready to be finalized",
        "",
        (("order", "completed before", "validated"), ("again", "new order")),
        (("オーダー", "完了する前", "確定"), ("再度実行", "新しいオーダー")),
    ),
    Meaning(
        "rejectedIdentifier",
        400,
        "The server will not issue certificates for the identifier",
        "",
        (
            ("one of the names", "not registered", "not paid", "period of use"),
            ("First", "reseller", "registered", "paid", "-d"),
        ),
        (
            ("FQDNが含まれて", "登録されていない", "支払い", "利用期間"),
            ("まず", "指定事業者", "登録済み", "支払い済み", "-d"),
        ),
    ),
    Meaning(
        "serverInternal",
        500,
        "The server experienced an internal error",
        "",
        (("inside JPRS's service",), ("later", "reseller", "notices")),
        (("サービス内部",), ("時間をおいて", "お知らせ", "指定事業者")),
    ),
    Meaning(
        "unauthorized",
        401,
        "The client lacks sufficient authorization",
        "",
        (("account", "state"), ("reseller", "contract", "revoked", "key")),
        (("ACMEアカウント", "ステータス"), ("指定事業者", "契約", "失効", "秘密鍵")),
    ),
    Meaning(
        "unsupportedContact",
        400,
        "A contact URL for an account used an unsupported protocol scheme: [tel:1]",
        "tel:1",
        (("not support", "contact"), ("e-mail", "-m")),
        (("コンタクト", "対応していません"), ("メールアドレス", "-m")),
    ),
    Meaning(
        "unsupportedIdentifier",
        400,
        "An identifier is of an unsupported type",
        "",
        (("no domain name",), ("-d", "IP address")),
        (("ドメイン名ではない",), ("-d", "IPアドレス")),
    ),
)


def of(kind: str, status: int, words: str) -> Meaning | None:
    """Returns what the explanation of a refusal must name; None for what JPRS does not document.

    Args:
        kind: its ACME error type.
        status: its HTTP status.
        words: the server's words, with any value.
    """
    return next(
        (
            each
            for each in MEANINGS
            if (each.kind, each.status, _plain(each.words)) == (kind, status, _plain(words))
        ),
        None,
    )


def _plain(words: str) -> str:
    return words.partition("[")[0].strip(" :")
