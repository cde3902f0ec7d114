"""Topics, a queue, and its subscription where the event is about one."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    arn = str(lay.told("topicArn", "subscriptionArn", default="arn:aws:sns:::rehearsal"))
    topic = arn.split(":")[5]
    made = lay.do("sns", "CreateTopic", Name=topic)["TopicArn"]
    queue = lay.told("endpoint", default="rehearsal").rsplit(":", 1)[-1]
    lay.do("sqs", "CreateQueue", QueueName=queue)
    lay.words["topicarn"] = made
    if "Subscription" in lay.event.operation:
        endpoint = f"arn:aws:sqs:{lay.region}:{lay.event.account}:{queue}"
        given = lay.do("sns", "Subscribe", TopicArn=made, Protocol="sqs", Endpoint=endpoint)
        lay.known(lay.told("subscriptionArn"), given["SubscriptionArn"])


GROUNDS = (Ground(service="sns", lay=_lay),)
