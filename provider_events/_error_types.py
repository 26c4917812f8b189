# SPDX-License-Identifier: MIT
"""The error types of providers and the exceptions of clients, by the HTTP status that goes with each.

Each line has a pattern and a provider, server or client that has the type.
"""

from __future__ import annotations

from typing import Final

__all__ = ["TYPES"]

TYPES: Final[dict[int, str]] = {
    429: r"""
        rate_limit_error  # Anthropic
        rate_limit_exceeded  # OpenAI, Groq
        rate_limit_reached_error  # Moonshot
        rate_limited  # Mistral
        RateLimit(?:Error|Exception|Reached|Exceeded)  # SDKs, Azure
        TooManyRequests(?:Error|Exception)?  # AWS, Cohere
        [tT]hrottlingException  # Bedrock
        Throttling(?:\.\w+)?  # DashScope
        ThrottledException  # AWS
        ServiceQuotaExceededException  # Bedrock
        [mM]odelNotReadyException  # Bedrock
        RESOURCE_EXHAUSTED  # Google
        ResourceExhausted  # google-api-core
        insufficient_quota  # OpenAI
        exceeded_current_quota_error  # Moonshot
        (?:\w{1,20}_)?quota_exceeded  # GitHub Models, Cerebras
        queue_exceeded  # Cerebras
        too_many_requests_error  # Cerebras
        usage_limit_(?:reached|exceeded)  # ChatGPT
        limit_(?:requests|burst_rate)  # DashScope
        model_cooldown  # CLIProxyAPI
        """,
    401: r"""
        authentication_error  # Anthropic
        AuthenticationError  # SDKs
        ClientAuthenticationError  # Azure
        invalid_authentication_error  # Moonshot
        permission_error  # Anthropic
        permission_denied(?:_error)?  # xAI
        PermissionDeniedError  # SDKs
        access_terminated_error  # Kimi
        invalid_api_key  # OpenAI
        InvalidApiKey  # DashScope
        API_KEY_INVALID  # Google
        UNAUTHENTICATED  # Google
        PERMISSION_DENIED  # Google
        Unauthenticated  # google-api-core
        PermissionDenied  # google-api-core
        Unauthorized(?:Error|Exception)  # Cohere
        Forbidden(?:Error|Exception)  # Cohere
        AccessDenied(?:Exception)?(?:\.\w+)?  # AWS, DashScope
        UnrecognizedClientException  # AWS
        ExpiredToken(?:Exception)?  # AWS
        InvalidSignatureException  # AWS
        (?:Incomplete|Invalid)Signature  # AWS
        MissingAuthenticationToken(?:Exception)?  # AWS
        InvalidClientTokenId  # AWS
        (?:No|Partial)?Credential(?:s|Retrieval|sRetrieval)Error  # botocore
        TokenRetrievalError  # botocore
        (?:UnauthorizedSSOToken|SSOTokenLoad)Error  # botocore
        RefreshError  # google-auth
        DefaultCredentialsError  # google-auth
        CredentialUnavailableError  # azure-identity
        billing_error  # Anthropic
        billing_hard_limit_reached  # OpenAI
        account_deactivated  # OpenAI
        PaymentRequiredError  # SDKs
        BudgetExceededError  # LiteLLM
        Arrearage  # DashScope
        AccountOverdueError  # Ark
        wrong_api_key  # Cerebras
        """,
    413: r"""
        request_too_large  # Anthropic
        Request(?:Entity)?TooLargeError  # anthropic
        """,
    400: r"""
        invalid_request_error  # OpenAI, Anthropic
        BadRequest(?:Error|Exception)  # SDKs, vLLM
        InvalidRequestError  # SDKs
        Unsupported(?:Params|Parameter)Error  # LiteLLM
        ContentPolicyViolationError  # LiteLLM
        UnprocessableEntityError  # SDKs
        INVALID_ARGUMENT  # Google
        FAILED_PRECONDITION  # Google
        OUT_OF_RANGE  # Google
        InvalidArgument  # google-api-core
        [vV]alidationException  # Bedrock
        [mM]odelErrorException  # Bedrock
        [mM]odelStreamErrorException  # Bedrock
        invalid_parameter_error  # DashScope
        InvalidParameter  # DashScope
        [dD]ata_?[iI]nspection_?[fF]ailed  # DashScope
        content_filter  # Azure
        content_policy_violation  # OpenAI
        ResponsibleAIPolicyViolation  # Azure
        tool_use_failed  # Groq
        json_validate_failed  # Groq
        """,
    404: r"""
        not_found_error  # Anthropic
        NotFoundError  # SDKs
        model_not_found  # OpenAI
        NOT_FOUND  # Google
        [rR]esourceNotFoundException  # Bedrock
        ModelNotFound  # DashScope
        DeploymentNotFound  # Azure
        """,
    408: r"""
        [mM]odelTimeoutException  # Bedrock
        API(?:Connection|Timeout)Error  # openai, anthropic
        (?:Connect|Read|Write|Pool)Timeout(?:Error)?  # httpx, requests, botocore
        (?:Connect|Read|Write|Close|Network|Transport|Proxy)Error  # httpx
        (?:Local|Remote)?ProtocolError  # httpx, urllib3
        Client(?:Connection|Connector|ConnectorDNS|OS|Payload|ProxyConnection)Error  # aiohttp
        Server(?:Disconnected|Connection|Timeout)Error  # aiohttp
        Connection(?:Reset|Refused|Aborted|Closed)?Error  # Python, botocore
        (?:BrokenPipe|Timeout)Error  # Python
        (?:ConnectionTerminated|EndpointConnection|ResponseStreaming|HTTPClient)Error  # botocore
        (?:ChunkedEncoding|MaxRetry|NewConnection|NameResolution)Error  # requests, urllib3
        (?:SSL|SSLCertVerification|URL|IncompleteRead)Error  # Python
        (?:TimeoutException|RemoteDisconnected|BadStatusLine|IncompleteRead|InvalidChunkLength)  # Python, urllib3
        (?:BrokenResource|ClosedResource|BusyResource|EndOfStream)(?:Error)?  # anyio
        (?:ContentLength|TransferEncoding)Error  # aiohttp
        (?:gaierror|herror|network_error)  # Python
        """,
    500: r"""
        (?:internal_)?server_error  # OpenAI
        internal_error  # Cohere
        InternalError  # DashScope, Azure
        [iI]nternal_?[sS]erver(?:Error|Exception)  # SDKs, Bedrock
        InternalFailure  # AWS
        (?:Server|Service)?Overloaded(?:Error)?  # anthropic, Ark
        overloaded_error  # Anthropic
        (?:server_|engine_|model_|system_)(?:is_)?overload(?:ed)?(?:_error)?  # OpenAI, Moonshot
        service_unavailable(?:_error)?  # OpenAI
        [sS]erviceUnavailable(?:Error|Exception)?  # SDKs, Bedrock
        timeout_error  # Anthropic
        slow_down  # OpenAI
        (?:BadGateway|GatewayTimeout|DeadlineExceeded)Error  # SDKs
        (?:INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED|DATA_LOSS)  # Google
        RequestTimeOut  # DashScope
        """,
}
