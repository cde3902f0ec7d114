"""Words that name no thing of an account: kinds of resources, kinds of symptoms, and ordinary words.

Data for `graph.matching`, in the spelling of `graph.moments.normal` (NFKC, lower case). Japanese words are parts of
longer runs, so they carry no inflection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, ...]] = {
    # resource type -> how people call it; types without a service file are named so that they are not mistaken
    "table": ("table", "dynamodb", "database", "db", "テーブル", "データベース"),
    "function": ("lambda function", "function", "lambda", "fn", "ラムダ関数", "関数", "ラムダ"),
    "queue": ("queue", "sqs", "キュー"),
    "dead-letter-queue": ("dead letter queue", "dead-letter queue", "dlq", "デッドレターキュー"),
    "api": ("api gateway", "api", "endpoint", "gateway", "エンドポイント", "ゲートウェイ"),
    "alarm": ("cloudwatch alarm", "alarm", "alert", "アラーム", "警報", "アラート"),
    "topic": ("topic", "sns", "トピック"),
    "bucket": ("bucket", "s3", "バケット"),
    "stream": ("stream", "kinesis", "ストリーム"),
    "cluster": ("cluster", "クラスター", "クラスタ"),
    "instance": ("instance", "ec2", "インスタンス"),
    "role": ("role", "ロール"),
    "state-machine": ("state machine", "step function", "ステートマシン"),
    "log-group": ("log group", "ロググループ"),
    "load-balancer": ("load balancer", "alb", "nlb", "ロードバランサー", "ロードバランサ"),
    "rule": ("rule", "eventbridge", "ルール"),
}
SYMPTOMS: Mapping[str, tuple[str, ...]] = {
    # metric role -> words for it
    "throttles": (
        "throttled throttling throttles throttle throttlingexception throttlings ratelimited 429",
        "スロットリング スロットル 抑制 帯域制限 流量制限",
    ),
    "errors": (
        "errors error erroring failing fails fail failed failure failures exception exceptions 5xx 4xx "
        "500 502 503 504 5xxs crash crashes crashing",
        "エラー 例外 失敗 異常終了 落ち",
    ),
    "latency": (
        "slow slower latency latencies timeout timeouts delay delayed delays sluggish lag lagging timing",
        "遅延 遅 レイテンシー レイテンシ タイムアウト 応答時間",
    ),
    "backlog": (
        "backlog backlogs stuck piling pileup backed backing filling growing age clogged",
        "滞留 詰ま 溜ま 溢れ バックログ",
    ),
}
_ORDINARY = (
    "a about above after again against ago alarms alerts all almost also am an and any anything app apps "
    "are as at away back bad be because been before began being below broke broken but by call called "
    "calling calls can cannot cant come coming could count customer customers data day days dead degraded "
    "dev did does doing done down due during each error-rate evening event events every everything "
    "example failover few fine fired firing fix for from full get gets getting go goes going gone got had "
    "has have having healthy help high higher hit hits hour hours how i if in incident incidents increase "
    "increased increasing input into invocation invocations is issue issues it item items its job jobs "
    "just keep keeping keeps kept last late lately least less like limit limited limits log login logs "
    "look looks lost lot lots low main many max maximum me message messages metric metrics midnight min "
    "mins minute minutes missing more morning most much my name named near need new night no none noon "
    "not nothing now of off old on once one only or our out outage output over page paged pages partly "
    "people please pm pod problem problems prod production rate rates read reading reads ready really red "
    "refused rejected report reported request requests respond responding response responses return "
    "returned returning returns rises rising rose run running sample say says see seems seen send sending "
    "sent server service services several show shows since site so some something soon spike spikes "
    "spiking stage staging start started starting state status still stop stopped stops strange such "
    "suddenly system systems task tasks team teams temp test testing tests than that the their them then "
    "there these they thing things this threw throwing throws time times to today tonight too trigger "
    "triggered two unavailable under unhealthy unknown until up us use user users using utc very wait "
    "waiting was we web website weird went were what when where which while who why with won wont worker "
    "workers working would write writes writing wrong yesterday you your"
)
_ORDINARY_JAPANESE = (
    "発生 急増 増加 減少 増 減 多発 多 少 高 低 上昇 下降 障害 不具合 異常 問題 停止 停 止 故障 "
    "不通 断 復旧 回復 応答 応答無 返却 返 戻 出 続 継続 頻発 状態 状況 原因 調査 調 確認 教 見 "
    "思 使 利用 利用者 顧客 客 全部 全 全体 一部 一 二 最近 先 先程 今 今日 今朝 今夜 本日 昨日 "
    "昨夜 昨晩 一昨日 朝 昼 夜 夕方 深夜 未明 早朝 午前 午後 時 時頃 頃 時間 分 秒 前 後 間 以降 "
    "以来 日 月 曜日 半 突然 急 急激 何 何故 変 鳴 点灯 赤 検知 通知 書 込 読 取 書込 読込 読取 "
    "送信 受信 送 受 届 配信 処理 実行 呼 呼出 要求 件 件数 数 率 値 上 下 内 外 中 側 方 本番 "
    "環境 開発 試験 検証 接続 通信 動作 動 開始 始 完了 終 待 来 行 入 大量 大 小 的 用 毎 度 "
    "回 サービス システム サーバー サーバ アプリ アプリケーション ユーザー ユーザ データ テスト ログ "
    "ログイン メトリクス リクエスト レスポンス ジョブ タスク バッチ チーム イベント アクセス ページ サイト "
    "メッセージ エラーレート レート インシデント トラブル ダウン アップ ピーク アウト タイミング"
)


def _split(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


KIND_WORDS: Mapping[str, frozenset[str]] = {
    word: frozenset(kind for kind, said in KINDS.items() if word in said)
    for words in KINDS.values()
    for word in words
}
SYMPTOM_WORDS: Mapping[str, frozenset[str]] = {role: _split(*texts) for role, texts in SYMPTOMS.items()}
ORDINARY: frozenset[str] = _split(_ORDINARY, _ORDINARY_JAPANESE, *KIND_WORDS).union(
    KIND_WORDS, (f"{word}s" for word in KIND_WORDS), *SYMPTOM_WORDS.values()
)
"""All of them: what is made of nothing else is not taken for a name without a sign that it is meant as one."""

_JAPANESE = sorted((word for word in ORDINARY if not word.isascii()), key=lambda word: (-len(word), word))
JAPANESE = re.compile("|".join(_JAPANESE))
JOINING: tuple[str, ...] = tuple(word for word in _JAPANESE if len(word) > 1 or word in "中用後前側時数件率")
"""Words that may stand right beside a Japanese name without making it another word: 注文処理 is about 注文."""
