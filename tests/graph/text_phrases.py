"""What people type, and what it means. `WRITTEN_FIRST` was there before the rules, `HELD_OUT` came after them.

Each: account, words, what must be found ("kind name"): one clear match, several to choose from, or nothing.
"""

from __future__ import annotations

Phrase = tuple[str, str, tuple[str, ...]]

WRITTEN_FIRST: tuple[Phrase, ...] = (
    ("shop", "orders writes are throttled", ("alarm orders-writes-throttled",)),
    ("shop", "ordersテーブルへの書き込みが失敗しています", ("alarm orders-writes-throttled",)),
    ("shop", "ｏｒｄｅｒｓ テーブルが昨夜2時ごろからおかしい", ("alarm orders-writes-throttled",)),
    ("shop", "注文APIが5xxを返す", ("api shop-http",)),
    ("shop", "order writer lambda keeps failing since 2am", ("function order-writer",)),
    ("shop", "https://abc123.execute-api.eu-west-1.amazonaws.com is down", ("api orders-api",)),
    ("shop", "https://zzz999.execute-api.eu-west-1.amazonaws.com is down", ()),
    ("shop", "Checkout API 5xx rate high fired 10 minutes ago", ("alarm Checkout API 5xx rate high",)),
    ("shop", "payments_v2 is slow", ("queue payments_v2", "table payments_v2")),
    ("shop", "payments_v2 キューが詰まっている", ("queue payments_v2",)),
    ("shop", "order is failing", ()),
    ("shop", "checkout is returning 500 since 14:05", ("api checkout",)),
    ("shop", "the api of orders-api throws errors on test data", ("api orders-api",)),
    ("shop", "testデータでorder-readerが落ちる", ("function order-reader",)),
    ("shop", "throttled", ("alarm orders-writes-throttled",)),
    ("shop", "スロットルが発生しています", ("alarm orders-writes-throttled",)),
    ("shop", "billing export is broken", ()),
    ("shop", "請求バッチが止まっている", ()),
    ("shop", "返金が届かない", ("queue refunds.fifo",)),
    ("shop", "決済チームの関数がタイムアウトしている", ("function CheckoutHandler",)),
    ("desk", "予約が昨日の14時から遅い", ("alarm booking-writer errors",)),
    ("desk", "エラーが増えている", ("alarm booking-writer errors",)),
    ("desk", "users テーブルの読み取りが遅い", ("table users",)),
    ("desk", "users cannot log in", ()),
    ("desk", "決済エラー率が高い アラームが鳴った", ("alarm 決済エラー率が高い",)),
    ("desk", "mail-queue-dlq is filling up", ("queue mail-queue-dlq",)),
    ("desk", "メール配信が失敗する", ("function mail-sender",)),
    ("desk", "予約APIが応答しない", ("api 予約API",)),
    ("quiet", "the Orders table is slow", ("table Orders",)),
    ("quiet", "Orders table is slow", ("table Orders", "table orders")),
    ("quiet", "orders function errors", ("function orders",)),
    ("quiet", "the api is down", ()),
    ("quiet", "everything throttled", ()),
)
HELD_OUT: tuple[Phrase, ...] = (
    ("shop", "nobody can place an order, orders-api answers 503", ("api orders-api",)),
    ("shop", "the orders-archive table refuses writes", ()),
    ("shop", "order itemsテーブルの書き込みエラー", ("table order-items",)),
    ("shop", "What happened to ORDER-READER yesterday at 9:30?", ("function order-reader",)),
    ("shop", "order－writerのラムダが14時5分からエラーを返しています", ("function order-writer",)),
    ("shop", "arn:aws:sqs:eu-west-1:111122223333:refunds.fifo is growing", ("queue refunds.fifo",)),
    (
        "shop",
        "https://sqs.eu-west-1.amazonaws.com/111122223333/orders-queue is stuck",
        ("queue orders-queue",),
    ),
    ("shop", "ordersキューの滞留", ("queue orders-queue",)),
    ("shop", "the orders topic lost messages", ()),
    ("shop", "legacy api slow for our customers", ("api legacy",)),
    ("shop", "checkoutのアラームが鳴っている", ("alarm Checkout API 5xx rate high",)),
    ("shop", "checkout handler times out", ("function CheckoutHandler",)),
    ("shop", "注文サービスが落ちました", ("api shop-http",)),
    ("shop", "注文書の印刷ができない", ()),
    ("shop", "データが消えた", ()),
    ("shop", "payment_v2 table throttling", ()),
    ("shop", "本番で５ｘｘエラーが急増", ()),
    ("shop", "order-writer cannot write to the table orders", ("alarm orders-writes-throttled",)),
    ("desk", "bookings が今朝3時から遅い", ("table bookings",)),
    ("desk", "booking writer 関数の失敗が30分前から続いている", ("alarm booking-writer errors",)),
    ("desk", "配送のキューが溜まっている", ("alarm mail-queue-age",)),
    ("desk", "予約ＡＰＩ がタイムアウト", ("api 予約API",)),
    ("desk", "mail is late", ()),
    ("desk", "admin endpoint returns 502", ("api admin",)),
    ("desk", "キューが詰まっています", ("alarm mail-queue-age",)),
    ("desk", "seat table is broken", ()),
    ("desk", "usersが壊れている", ()),
    ("quiet", "jobs queue not draining since 午後2時半", ("queue jobs",)),
    ("quiet", "payments dlq has messages", ("queue Payments_DLQ",)),
    ("quiet", "ordersで障害発生", ("function orders", "table orders")),
    ("quiet", "「etl」が失敗した", ("function etl",)),
    ("quiet", "api endpoint latency", ()),
    ("quiet", "在庫テーブルがスロットルされている", ()),
)

LIMITS: tuple[Phrase, ...] = (
    # A tag is not looked at once a name was said, though two things are meant here.
    ("desk", "メール配信と予約APIの両方がおかしい", ("api 予約API",)),
)
