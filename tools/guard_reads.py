"""The closed list of reads: boto3 client name -> operations, each by name.

An operation is here when AWS documents that it changes nothing and when its answer tells configuration,
state or telemetry. What tells customers' content is left out on purpose, although AWS calls it a read:
GetSecretValue, GetObject, Scan, Query, GetItem, ReceiveMessage, GetRecords, Decrypt. So is what hands out
keys or links: lambda GetFunction (a link to the code), GetUsagePlanKeys (API keys), DescribeUserPoolClient
(its secret), GetSessionToken. `tests/tools/guard_sources.tsv` names a second source for each line.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = {
    "acm": "DescribeCertificate ListCertificates ListTagsForCertificate",
    "apigateway": """GetAccount GetAuthorizer GetAuthorizers GetBasePathMapping GetBasePathMappings
        GetDeployment GetDeployments GetDomainName GetDomainNames GetGatewayResponses GetIntegration
        GetIntegrationResponse GetMethod GetMethodResponse GetRequestValidators GetResource GetResources
        GetRestApi GetRestApis GetStage GetStages GetTags GetUsage GetUsagePlan GetUsagePlans GetVpcLink
        GetVpcLinks""",
    "apigatewayv2": """GetApi GetApiMapping GetApiMappings GetApis GetAuthorizer GetAuthorizers GetDeployment
        GetDeployments GetDomainName GetDomainNames GetIntegration GetIntegrationResponses GetIntegrations
        GetRoute GetRouteResponses GetRoutes GetStage GetStages GetTags GetVpcLink GetVpcLinks""",
    "appconfig": """GetApplication GetConfigurationProfile GetDeployment GetDeploymentStrategy GetEnvironment
        ListApplications ListConfigurationProfiles ListDeployments ListEnvironments""",
    "application-autoscaling": """DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies
        DescribeScheduledActions ListTagsForResource""",
    "application-signals": """GetService GetServiceLevelObjective ListServiceDependencies
        ListServiceDependents ListServiceLevelObjectives ListServiceOperations ListServices""",
    "apprunner": "DescribeAutoScalingConfiguration DescribeService ListOperations ListServices",
    "appsync": """GetDataSource GetGraphqlApi GetResolver ListDataSources ListFunctions ListGraphqlApis
        ListResolvers ListTagsForResource ListTypes""",
    "autoscaling": """DescribeAccountLimits DescribeAutoScalingGroups DescribeAutoScalingInstances
        DescribeInstanceRefreshes DescribeLaunchConfigurations DescribeLifecycleHooks
        DescribeLoadBalancerTargetGroups DescribeLoadBalancers DescribeNotificationConfigurations
        DescribePolicies DescribeScalingActivities DescribeScheduledActions DescribeTags
        DescribeTrafficSources DescribeWarmPool""",
    "backup": """DescribeBackupJob ListBackupJobs ListBackupPlans ListBackupVaults ListProtectedResources
        ListRecoveryPointsByResource""",
    "batch": """DescribeComputeEnvironments DescribeJobDefinitions DescribeJobQueues DescribeJobs
        DescribeSchedulingPolicies ListJobs ListTagsForResource""",
    "bedrock": """GetFoundationModel GetInferenceProfile GetProvisionedModelThroughput ListFoundationModels
        ListInferenceProfiles ListProvisionedModelThroughputs""",
    "cloudformation": """DescribeAccountLimits DescribeChangeSet DescribeStackDriftDetectionStatus
        DescribeStackEvents DescribeStackInstance DescribeStackResource DescribeStackResourceDrifts
        DescribeStackResources DescribeStackSet DescribeStackSetOperation DescribeStacks DescribeType
        GetStackPolicy GetTemplate GetTemplateSummary ListChangeSets ListExports ListImports
        ListStackInstances ListStackResources ListStackSetOperations ListStackSets ListStacks""",
    "cloudfront": """DescribeFunction GetCachePolicy GetContinuousDeploymentPolicy GetDistribution
        GetDistributionConfig GetInvalidation GetMonitoringSubscription GetOriginAccessControl
        GetOriginRequestPolicy GetResponseHeadersPolicy GetVpcOrigin ListDistributions
        ListDistributionsByWebACLId ListFunctions ListInvalidations ListTagsForResource ListVpcOrigins""",
    "cloudtrail": """DescribeTrails GetEventDataStore GetEventSelectors GetInsightSelectors GetTrail
        GetTrailStatus ListEventDataStores ListInsightsMetricData ListTags ListTrails LookupEvents""",
    "cloudwatch": """DescribeAlarmContributors DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric
        DescribeAnomalyDetectors DescribeInsightRules GetAlarmMuteRule GetDashboard GetInsightRuleReport
        GetMetricData GetMetricStatistics GetMetricStream ListAlarmMuteRules ListDashboards ListMetricStreams
        ListMetrics ListTagsForResource""",
    "codebuild": "BatchGetBuilds BatchGetProjects ListBuilds ListBuildsForProject ListProjects",
    "codedeploy": """BatchGetDeployments GetApplication GetDeployment GetDeploymentConfig GetDeploymentGroup
        GetDeploymentTarget ListApplications ListDeploymentGroups ListDeploymentTargets ListDeployments""",
    "codepipeline": """GetPipeline GetPipelineExecution GetPipelineState ListActionExecutions
        ListPipelineExecutions ListPipelines""",
    "cognito-idp": """DescribeUserPool DescribeUserPoolDomain GetUserPoolMfaConfig ListUserPoolClients
        ListUserPools""",
    "config": """BatchGetResourceConfig DescribeComplianceByResource DescribeConfigRules
        DescribeConfigurationRecorderStatus DescribeConfigurationRecorders DescribeDeliveryChannelStatus
        DescribeDeliveryChannels GetComplianceDetailsByResource GetDiscoveredResourceCounts
        GetResourceConfigHistory ListDiscoveredResources ListTagsForResource SelectAggregateResourceConfig
        SelectResourceConfig""",
    "dax": """DescribeClusters DescribeEvents DescribeParameterGroups DescribeParameters DescribeSubnetGroups
        ListTags""",
    "directconnect": """DescribeConnections DescribeDirectConnectGateways DescribeVirtualGateways
        DescribeVirtualInterfaces""",
    "dms": """DescribeEvents DescribeReplicationInstances DescribeReplicationTasks DescribeTableStatistics
        ListTagsForResource""",
    "docdb": """DescribeDBClusterParameterGroups DescribeDBClusterParameters DescribeDBClusters
        DescribeDBInstances DescribeDBSubnetGroups DescribeEvents DescribePendingMaintenanceActions
        ListTagsForResource""",
    "dynamodb": """DescribeBackup DescribeContinuousBackups DescribeContributorInsights DescribeEndpoints
        DescribeExport DescribeGlobalTable DescribeGlobalTableSettings DescribeImport
        DescribeKinesisStreamingDestination DescribeLimits DescribeTable DescribeTableReplicaAutoScaling
        DescribeTimeToLive GetResourcePolicy ListBackups ListContributorInsights ListExports ListGlobalTables
        ListImports ListTables ListTagsOfResource""",
    "dynamodbstreams": "DescribeStream ListStreams",
    "ec2": """DescribeAccountAttributes DescribeAddresses DescribeAddressesAttribute DescribeAvailabilityZones
        DescribeCapacityReservations DescribeCarrierGateways DescribeClientVpnConnections
        DescribeClientVpnEndpoints DescribeClientVpnRoutes DescribeCustomerGateways DescribeDhcpOptions
        DescribeEgressOnlyInternetGateways DescribeFastSnapshotRestores DescribeFleetHistory
        DescribeFleetInstances DescribeFleets DescribeFlowLogs DescribeHosts
        DescribeIamInstanceProfileAssociations DescribeImageAttribute DescribeImages DescribeInstanceAttribute
        DescribeInstanceConnectEndpoints DescribeInstanceCreditSpecifications DescribeInstanceEventWindows
        DescribeInstanceStatus DescribeInstanceTypeOfferings DescribeInstanceTypes DescribeInstances
        DescribeInternetGateways DescribeLaunchTemplateVersions DescribeLaunchTemplates
        DescribeManagedPrefixLists DescribeNatGateways DescribeNetworkAcls DescribeNetworkInsightsAnalyses
        DescribeNetworkInsightsPaths DescribeNetworkInterfaceAttribute DescribeNetworkInterfaces
        DescribePlacementGroups DescribePrefixLists DescribeRegions DescribeRouteTables
        DescribeSecurityGroupReferences DescribeSecurityGroupRules DescribeSecurityGroupVpcAssociations
        DescribeSecurityGroups DescribeSnapshotAttribute DescribeSnapshots DescribeSpotFleetInstances
        DescribeSpotFleetRequestHistory DescribeSpotFleetRequests DescribeSpotInstanceRequests
        DescribeStaleSecurityGroups DescribeSubnets DescribeTags DescribeTransitGatewayAttachments
        DescribeTransitGatewayPeeringAttachments DescribeTransitGatewayRouteTables
        DescribeTransitGatewayVpcAttachments DescribeTransitGateways DescribeVolumeAttribute
        DescribeVolumeStatus DescribeVolumes DescribeVolumesModifications DescribeVpcAttribute
        DescribeVpcBlockPublicAccessExclusions DescribeVpcBlockPublicAccessOptions
        DescribeVpcEndpointConnections DescribeVpcEndpointServiceConfigurations
        DescribeVpcEndpointServicePermissions DescribeVpcEndpointServices DescribeVpcEndpoints
        DescribeVpcPeeringConnections DescribeVpcs DescribeVpnConnections DescribeVpnGateways GetConsoleOutput
        GetEbsDefaultKmsKeyId GetEbsEncryptionByDefault GetInstanceMetadataDefaults
        GetManagedPrefixListEntries GetSubnetCidrReservations GetTransitGatewayAttachmentPropagations
        GetTransitGatewayRouteTableAssociations GetTransitGatewayRouteTablePropagations
        SearchTransitGatewayRoutes""",
    "ecr": """DescribeImageScanFindings DescribeImages DescribePullThroughCacheRules DescribeRegistry
        DescribeRepositories GetLifecyclePolicy GetRegistryPolicy GetRepositoryPolicy ListImages
        ListTagsForResource""",
    "ecs": """DescribeCapacityProviders DescribeClusters DescribeContainerInstances DescribeServiceDeployments
        DescribeServiceRevisions DescribeServices DescribeTaskDefinition DescribeTaskSets DescribeTasks
        GetTaskProtection ListAccountSettings ListClusters ListContainerInstances ListServiceDeployments
        ListServices ListServicesByNamespace ListTagsForResource ListTaskDefinitionFamilies
        ListTaskDefinitions ListTasks""",
    "efs": """DescribeAccessPoints DescribeFileSystemPolicy DescribeFileSystems DescribeLifecycleConfiguration
        DescribeMountTargetSecurityGroups DescribeMountTargets ListTagsForResource""",
    "eks": """DescribeAccessEntry DescribeAddon DescribeCluster DescribeFargateProfile DescribeInsight
        DescribeNodegroup DescribePodIdentityAssociation DescribeUpdate ListAccessEntries ListAddons
        ListAssociatedAccessPolicies ListClusters ListFargateProfiles ListInsights ListNodegroups
        ListPodIdentityAssociations ListTagsForResource ListUpdates""",
    "elasticache": """DescribeCacheClusters DescribeCacheEngineVersions DescribeCacheParameterGroups
        DescribeCacheParameters DescribeCacheSubnetGroups DescribeEvents DescribeGlobalReplicationGroups
        DescribeReplicationGroups DescribeServerlessCaches DescribeServiceUpdates DescribeSnapshots
        DescribeUpdateActions DescribeUserGroups DescribeUsers ListTagsForResource""",
    "elasticbeanstalk": """DescribeApplicationVersions DescribeApplications DescribeConfigurationSettings
        DescribeEnvironmentHealth DescribeEnvironmentResources DescribeEnvironments DescribeEvents
        DescribeInstancesHealth""",
    "elb": """DescribeInstanceHealth DescribeLoadBalancerAttributes DescribeLoadBalancerPolicies
        DescribeLoadBalancers DescribeTags""",
    "elbv2": """DescribeAccountLimits DescribeCapacityReservation DescribeListenerAttributes
        DescribeListenerCertificates DescribeListeners DescribeLoadBalancerAttributes DescribeLoadBalancers
        DescribeRules DescribeSSLPolicies DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups
        DescribeTargetHealth""",
    "events": """DescribeApiDestination DescribeArchive DescribeConnection DescribeEndpoint DescribeEventBus
        DescribeReplay DescribeRule ListApiDestinations ListArchives ListConnections ListEventBuses
        ListRuleNamesByTarget ListRules ListTagsForResource ListTargetsByRule""",
    "firehose": "DescribeDeliveryStream ListDeliveryStreams ListTagsForDeliveryStream",
    "fis": "GetExperiment GetExperimentTemplate ListExperimentTemplates ListExperiments",
    "fsx": "DescribeBackups DescribeFileSystems DescribeVolumes ListTagsForResource",
    "globalaccelerator": """DescribeAccelerator DescribeEndpointGroup DescribeListener ListAccelerators
        ListEndpointGroups ListListeners ListTagsForResource""",
    "glue": """GetCrawler GetCrawlers GetJob GetJobRun GetJobRuns GetJobs GetTrigger GetTriggers GetWorkflow
        ListJobs""",
    "guardduty": "GetDetector GetFindings ListDetectors ListFindings",
    "health": """DescribeAffectedEntities DescribeAffectedEntitiesForOrganization DescribeEntityAggregates
        DescribeEventAggregates DescribeEventDetails DescribeEventDetailsForOrganization DescribeEventTypes
        DescribeEvents DescribeEventsForOrganization""",
    "iam": """GetAccessKeyLastUsed GetAccountAuthorizationDetails GetAccountSummary
        GetContextKeysForPrincipalPolicy GetGroup GetGroupPolicy
        GetInstanceProfile GetOpenIDConnectProvider GetPolicy GetPolicyVersion GetRole GetRolePolicy
        GetSAMLProvider GetServerCertificate GetUser GetUserPolicy ListAccessKeys ListAccountAliases
        ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies ListEntitiesForPolicy
        ListGroupPolicies ListGroups ListGroupsForUser ListInstanceProfiles ListInstanceProfilesForRole
        ListMFADevices ListOpenIDConnectProviders ListPolicies ListPolicyTags ListPolicyVersions
        ListRolePolicies ListRoleTags ListRoles ListSAMLProviders ListServerCertificates ListUserPolicies
        ListUserTags ListUsers SimulatePrincipalPolicy""",
    "internetmonitor": "GetHealthEvent GetMonitor ListHealthEvents ListMonitors",
    "kafka": """DescribeCluster DescribeClusterOperationV2 DescribeClusterV2 DescribeConfiguration
        DescribeConfigurationRevision GetBootstrapBrokers GetClusterPolicy ListClusterOperationsV2
        ListClustersV2 ListConfigurations ListNodes ListTagsForResource""",
    "kinesis": """DescribeLimits DescribeStream DescribeStreamConsumer DescribeStreamSummary GetResourcePolicy
        ListShards ListStreamConsumers ListStreams ListTagsForResource ListTagsForStream""",
    "kms": """DescribeCustomKeyStores DescribeKey GetKeyPolicy GetKeyRotationStatus ListAliases ListGrants
        ListKeyPolicies ListKeyRotations ListKeys ListResourceTags""",
    "lambda": """GetAccountSettings GetAlias GetCodeSigningConfig GetEventSourceMapping
        GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration
        GetFunctionEventInvokeConfig GetFunctionRecursionConfig GetFunctionScalingConfig GetFunctionUrlConfig
        GetPolicy GetProvisionedConcurrencyConfig GetRuntimeManagementConfig ListAliases
        ListEventSourceMappings ListFunctionEventInvokeConfigs ListFunctionUrlConfigs ListFunctions
        ListLayerVersions ListLayers ListProvisionedConcurrencyConfigs ListTags ListVersionsByFunction""",
    "logs": """DescribeAccountPolicies DescribeDestinations DescribeFieldIndexes DescribeIndexPolicies
        DescribeLogGroups DescribeLogStreams DescribeMetricFilters DescribeQueries DescribeQueryDefinitions
        DescribeResourcePolicies DescribeSubscriptionFilters FilterLogEvents GetDataProtectionPolicy
        GetLogAnomalyDetector GetLogEvents GetLogGroupFields GetLogRecord GetQueryResults GetTransformer
        ListAnomalies ListLogAnomalyDetectors ListLogGroups ListLogGroupsForQuery ListTagsForResource
        ListTagsLogGroup""",
    "memorydb": """DescribeACLs DescribeClusters DescribeEvents DescribeParameterGroups DescribeParameters
        DescribeServiceUpdates DescribeSnapshots DescribeSubnetGroups DescribeUsers ListTags""",
    "mq": """DescribeBroker DescribeConfiguration DescribeConfigurationRevision ListBrokers
        ListConfigurationRevisions ListConfigurations ListTags""",
    "neptune": """DescribeDBClusterParameterGroups DescribeDBClusterParameters DescribeDBClusters
        DescribeDBInstances DescribeDBParameters DescribeEvents DescribePendingMaintenanceActions
        ListTagsForResource""",
    "network-firewall": """DescribeFirewall DescribeFirewallPolicy DescribeLoggingConfiguration
        DescribeRuleGroup ListFirewallPolicies ListFirewalls ListRuleGroups""",
    "oam": "GetLink GetSink ListAttachedLinks ListLinks ListSinks",
    "opensearch": """DescribeDomain DescribeDomainAutoTunes DescribeDomainChangeProgress DescribeDomainConfig
        DescribeDomainHealth DescribeDomainNodes DescribeDomains GetUpgradeHistory GetUpgradeStatus
        ListDomainNames ListScheduledActions ListTags""",
    "organizations": """DescribeAccount DescribeEffectivePolicy DescribeOrganization
        DescribeOrganizationalUnit DescribePolicy ListAccounts ListChildren ListParents ListPolicies
        ListPoliciesForTarget ListRoots ListTagsForResource ListTargetsForPolicy""",
    "pi": """GetResourceMetadata GetResourceMetrics ListAvailableResourceDimensions
        ListAvailableResourceMetrics""",
    "pipes": "DescribePipe ListPipes ListTagsForResource",
    "rds": """DescribeAccountAttributes DescribeBlueGreenDeployments DescribeCertificates
        DescribeDBClusterBacktracks DescribeDBClusterEndpoints DescribeDBClusterParameterGroups
        DescribeDBClusterParameters DescribeDBClusterSnapshots DescribeDBClusters DescribeDBEngineVersions
        DescribeDBInstanceAutomatedBackups DescribeDBInstances DescribeDBLogFiles DescribeDBParameterGroups
        DescribeDBParameters DescribeDBProxies DescribeDBProxyEndpoints DescribeDBProxyTargetGroups
        DescribeDBProxyTargets DescribeDBRecommendations DescribeDBSnapshots DescribeDBSubnetGroups
        DescribeEngineDefaultClusterParameters DescribeEngineDefaultParameters DescribeEvents
        DescribeGlobalClusters DescribeOptionGroups DescribePendingMaintenanceActions
        DescribeValidDBInstanceModifications DownloadDBLogFilePortion ListTagsForResource""",
    "redshift": """DescribeClusterParameterGroups DescribeClusterParameters DescribeClusterSnapshots
        DescribeClusters DescribeEvents DescribeLoggingStatus DescribeResize DescribeTags""",
    "resource-explorer-2": "GetDefaultView GetIndex GetView ListIndexes ListResources ListViews Search",
    "resource-groups": "GetGroup GetGroupQuery ListGroupResources ListGroups",
    "resourcegroupstaggingapi": "GetResources GetTagKeys GetTagValues",
    "route53": """GetAccountLimit GetChange GetHealthCheck GetHealthCheckLastFailureReason
        GetHealthCheckStatus GetHostedZone GetHostedZoneLimit GetTrafficPolicy ListHealthChecks
        ListHostedZones ListHostedZonesByName ListHostedZonesByVPC ListQueryLoggingConfigs
        ListResourceRecordSets ListTagsForResource ListTrafficPolicyInstances""",
    "route53resolver": """GetFirewallConfig GetFirewallRuleGroup GetResolverConfig GetResolverEndpoint
        GetResolverRule ListFirewallDomains ListFirewallRuleGroupAssociations ListFirewallRuleGroups
        ListFirewallRules ListResolverEndpointIpAddresses ListResolverEndpoints ListResolverRuleAssociations
        ListResolverRules""",
    "s3": """GetBucketAccelerateConfiguration GetBucketAcl GetBucketCors GetBucketEncryption
        GetBucketLifecycleConfiguration GetBucketLocation GetBucketLogging GetBucketMetricsConfiguration
        GetBucketNotificationConfiguration GetBucketOwnershipControls GetBucketPolicy
        GetBucketPolicyStatus GetBucketReplication GetBucketRequestPayment GetBucketTagging
        GetBucketVersioning GetBucketWebsite GetObjectLockConfiguration GetPublicAccessBlock HeadBucket
        ListBucketMetricsConfigurations ListBuckets""",
    "s3control": """GetAccessPoint GetAccessPointPolicy GetMultiRegionAccessPoint GetPublicAccessBlock
        ListAccessPoints""",
    "sagemaker": """DescribeEndpoint DescribeEndpointConfig DescribeModel ListEndpointConfigs ListEndpoints
        ListTags""",
    "scheduler": "GetSchedule GetScheduleGroup ListScheduleGroups ListSchedules ListTagsForResource",
    "secretsmanager": "DescribeSecret GetResourcePolicy ListSecretVersionIds ListSecrets",
    "service-quotas": """GetAWSDefaultServiceQuota GetRequestedServiceQuotaChange GetServiceQuota
        ListAWSDefaultServiceQuotas ListRequestedServiceQuotaChangeHistory
        ListRequestedServiceQuotaChangeHistoryByQuota ListServiceQuotas ListServices""",
    "servicediscovery": """GetInstancesHealthStatus GetNamespace GetService ListInstances ListNamespaces
        ListServices ListTagsForResource""",
    "sesv2": "GetAccount GetConfigurationSet GetEmailIdentity ListConfigurationSets ListEmailIdentities",
    "shield": "DescribeAttack DescribeProtection GetSubscriptionState ListAttacks ListProtections",
    "sns": """GetSMSAttributes GetSubscriptionAttributes GetTopicAttributes ListSubscriptions
        ListSubscriptionsByTopic ListTagsForResource ListTopics""",
    "sqs": """GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags
        ListQueues""",
    "ssm": """DescribeAssociation DescribeAutomationExecutions DescribeAutomationStepExecutions
        DescribeDocument DescribeInstanceInformation DescribeInstancePatchStates
        DescribeMaintenanceWindowExecutions DescribeMaintenanceWindows DescribeOpsItems DescribeParameters
        GetAutomationExecution GetParameter GetParameterHistory GetParameters ListAssociations
        ListCommandInvocations ListCommands ListTagsForResource""",
    "sso-admin": """DescribePermissionSet GetInlinePolicyForPermissionSet ListInstances
        ListManagedPoliciesInPermissionSet ListPermissionSets""",
    "stepfunctions": """DescribeExecution DescribeMapRun DescribeStateMachine DescribeStateMachineAlias
        DescribeStateMachineForExecution GetExecutionHistory ListExecutions ListMapRuns
        ListStateMachineAliases ListStateMachineVersions ListStateMachines ListTagsForResource""",
    "sts": "GetCallerIdentity",
    "synthetics": "DescribeCanaries DescribeCanariesLastRun GetCanary GetCanaryRuns",
    "wafv2": """GetIPSet GetLoggingConfiguration GetRateBasedStatementManagedKeys GetRegexPatternSet
        GetRuleGroup GetSampledRequests GetWebACL GetWebACLForResource ListIPSets ListResourcesForWebACL ListRuleGroups
        ListTagsForResource ListWebACLs""",
    "xray": """BatchGetTraces GetGroup GetGroups GetIndexingRules GetInsight GetInsightEvents
        GetInsightSummaries GetSamplingRules GetServiceGraph GetTimeSeriesServiceStatistics GetTraceGraph
        GetTraceSegmentDestination GetTraceSummaries""",
}

READS: Mapping[str, frozenset[str]] = {service: frozenset(names.split()) for service, names in _NAMES.items()}
