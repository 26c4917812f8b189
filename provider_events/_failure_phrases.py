# SPDX-License-Identifier: MIT
"""The words by which failures are known: error types, and phrases of messages.

One a line, with a provider, server or client that it is known from. Types are compared as they are
written, phrases in lower case. No pattern has more than a bounded gap, so that each is linear.
"""

from __future__ import annotations

from typing import Final

__all__ = ["KINDS", "PHRASES"]


def _any_of(lines: str) -> str:
    """Return one pattern of all lines, less their comments."""
    return "|".join(line.partition("  #")[0].strip() for line in lines.strip().splitlines())


KINDS: Final[dict[int, str]] = {
    429: _any_of(r"""
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
        quota_exceeded  # GitHub Models
        usage_limit_(?:reached|exceeded)  # ChatGPT
        limit_(?:requests|burst_rate)  # DashScope
        model_cooldown  # CLIProxyAPI
        """),
    401: _any_of(r"""
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
        """),
    413: _any_of(r"""
        request_too_large  # Anthropic
        Request(?:Entity)?TooLargeError  # anthropic
        """),
    400: _any_of(r"""
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
        """),
    404: _any_of(r"""
        not_found_error  # Anthropic
        NotFoundError  # SDKs
        model_not_found  # OpenAI
        NOT_FOUND  # Google
        [rR]esourceNotFoundException  # Bedrock
        ModelNotFound  # DashScope
        DeploymentNotFound  # Azure
        """),
    408: _any_of(r"""
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
        """),
    500: _any_of(r"""
        (?:internal_)?server_error  # OpenAI
        internal_error  # Cohere
        InternalError  # DashScope, Azure
        [iI]nternal_?[sS]erver(?:Error|Exception)  # SDKs, Bedrock
        InternalFailure  # AWS
        (?:Service)?OverloadedError  # anthropic
        overloaded_error  # Anthropic
        (?:server_|engine_|model_|system_)(?:is_)?overload(?:ed)?(?:_error)?  # OpenAI, Moonshot
        service_unavailable(?:_error)?  # OpenAI
        [sS]erviceUnavailable(?:Error|Exception)?  # SDKs, Bedrock
        timeout_error  # Anthropic
        slow_down  # OpenAI
        (?:BadGateway|GatewayTimeout|DeadlineExceeded)Error  # SDKs
        (?:INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED|DATA_LOSS)  # Google
        RequestTimeOut  # DashScope
        """),
}
"""The HTTP status that an error type stands for, by the patterns of the types."""


PHRASES: Final[dict[str, str]] = {
    "tokens per minute": _any_of(r"""
        tokens?[ -]per[ -](?:second|min(?:ute)?|hour|day|week|month)s?\b  # Groq, OpenAI
        \b[io]?tp[md]\b  # Groq, Moonshot
        """),
    "rate": _any_of(r"""
        rate[ _-]?limit  # all
        \btoo[ _]many[ _](?:\w+[ _])?requests  # HTTP, Bedrock
        \bthrottl(?:ed|ing)\b  # AWS
        (?:requests?|calls?)[ -]per[ -](?:second|minute|hour|day|month)  # Google
        \bper[ -](?:minute|hour|day)\b.{0,20}\blimit  # Anthropic
        \b(?:rp[msd]|qp[sm])\b  # MiniMax, Baidu
        \bquota\b.{0,60}\b(?:exceed|exhaust|reach|insufficient|limit)  # Google, DashScope
        \b(?:exceed|exhaust|check|insufficient|out of)\w*\b.{0,60}\bquota  # OpenAI, Gemini
        resource has been exhausted  # Gemini
        resource ?exhausted  # Google
        \b(?:usage|session|concurrent|call|request|message)s?(?: (?!spending)\w+)? limit\b  # ChatGPT, Claude
        \b(?:5-hour|hourly|daily|weekly|monthly)(?: (?!spending)\w+)? limit\b  # ChatGPT, Claude, Baidu
        \blimit\b.{0,30}\bper (?:minute|hour|day)  # OpenRouter
        you'?(?:ve| have) (?:hit|reached) your .{0,30}limit  # Claude
        free[- ](?:tier|models?)\b.{0,60}\b(?:limit|exhaust|per day)  # OpenRouter, DashScope
        too many tokens,? (?:please wait|per |processed)  # Bedrock
        (?:service tier )?capacity exceeded for this model  # Mistral
        request rate (?:increased|is) too  # DashScope
        rate increased too quickly  # DashScope
        reduce (?:the |your )?(?:request )?(?:rate|frequency)  # Azure
        \bslow down\b  # AWS
        \bconcurrency\b  # Moonshot, Together
        (?:model|credentials?)\b.{0,40}\bcool(?:ing)? ?down  # CLIProxyAPI
        \b1039\b.{0,20}\btoken limit  # MiniMax
        频率|限流|速率限制|流量限制|并发|使用上限|次数限额|过于频繁|请求过多  # Zhipu, Baidu
        """),
    "overflow": _any_of(r"""
        context[ _-]?(?:length|window|size|limit)s?[ _](?:is |was |has been |been )?(?:exceed|overflow|error)  # OpenAI
        context(?:length|window)exceeded  # LiteLLM
        \bcontext[ _-]?overflow  # LM Studio, proxies
        exceed_context_size  # llama.cpp
        prompt_tokens[_ ]exceed  # Copilot
        \bexceed(?:s|ed|ing)?\b.{0,60}\bcontext[ -]?(?:window|length|size|limit)  # OpenAI, Anthropic, llama.cpp
        \bcontext (?:window|length|size|limit)\b.{0,40}\bexceed  # MiniMax
        \b(?:maximum|max) context (?:length|window|size|limit)  # OpenAI, vLLM, Mistral
        \b(?:model'?s?|available|supported|allowed) context (?:length|window|size|limit)  # llama.cpp
        \bcontext length (?:is|of) only  # vLLM, LM Studio
        \breached context length  # LM Studio
        \bcontext the overflows  # LM Studio
        \b(?:large enough|too large|too long|not fit)\b.{0,30}\bcontext  # LiteLLM
        \bmaximum (?:allowed )?(?:prompt|input|model|sequence|message) (?:token )?length  # xAI, vLLM, Poolside
        \bmaximum supported sequence length  # SambaNova
        \bmaximum allowed length.{0,3}\d+ tokens  # SGLang
        \bmaximum input (?:length|tokens)  # vLLM, Bedrock
        \b(?:long|larg|great)er than (?:the )?(?:model'?s? )?context (?:length|size)  # Together, LM Studio
        \b(?:long|larg|great)er than (?:the )?maximum (?:context|model|input) (?:length|size)  # vLLM
        \b(?:prompt|input)(?: tokens?| text| length)? (?:is |are )?(?:\w+ )?too long  # Anthropic, Bedrock, Ollama
        \b(?:conversation|context|request|history) (?:is |are |was )?(?:\w+ )?too long  # gateways
        \bmessages?(?: is| are)? too long  # Perplexity
        \b(?:prompt|input)(?:_ids)?(?: tokens?| text| size| length)?(?: \d+| \([^)]{0,40}\))? exceed  # z.ai, SGLang
        \b(?:input|prompt|text|context) (?:token (?:length|count)|tokens?)\b.{0,60}\bexceed  # Gemini, Copilot
        \b(?:requested|total|message)s? (?:token (?:length|count)|tokens?)\b.{0,60}\bexceed  # LiteLLM, DashScope
        \btokens? (?:of|in) .{0,40}\bexceed\w* max(?:imum)? (?:message )?tokens  # Doubao
        \binput tokens exceed  # OpenAI
        \b(?:input|prompt) token count\b.{0,40}\bonly supports  # Vertex AI
        \btokens in request more than max tokens  # OpenAI-compatible
        \bcurrent length is \d+ while limit is  # Cerebras
        \breduce the (?:length|size|number) of (?:the |your )?(?:\w+ )?(?:messages?|prompts?|inputs?)\b  # OpenAI
        \breduce the length of either one\b  # OpenRouter
        \breduce (?:the |your )?(?:input token count|prompt|context)\b  # Vertex AI
        \b(?:shorter|fewer) (?:input|prompt|message)s?\b  # LM Studio, SGLang, Cohere
        \bexceeded model token limit  # Kimi
        \b(?:model|input|prompt|context) token limit  # Kimi
        \btoken limit (?:is |was |has been )?exceeded  # generic
        \btoo many (?:input |prompt |total |context )?tokens\b  # Bedrock, Cohere
        \brange of input length should be  # DashScope
        \bmalformed input request: expected maxlength: \d+, actual: \d+  # Bedrock
        \binputs. tokens \+ .max_new_tokens. must be  # TGI
        \b(?:input|prompt)s?. must have (?:less|fewer) than \d+ tokens  # TGI
        \bn_keep\b.{0,20}n_ctx  # llama.cpp
        \btokens to keep from the initial prompt  # LM Studio
        \binvalid '(?:messages|input)[^']{0,40}': string too long  # OpenAI
        \brequest (?:entity|body|payload)?(?: is)? ?too large  # HTTP
        \bpayload too large  # HTTP
        \brequest_too_large  # Anthropic
        \brequest exceeds the maximum (?:allowed )?(?:size|number of bytes)  # Anthropic
        \brequest (?:payload |body )?size (?:has )?exceed  # Gemini, Bedrock
        上下文(?:长度|窗口)  # gateways
        (?:prompt|输入|请求|内容|文本).{0,12}(?:超长|过长)  # Zhipu
        (?:输入|提示词).{0,8}超  # gateways
        token ?数量?超  # iFlytek
        (?:超过|超出|大于).{0,20}(?:最大长度|长度限制|最大输入|上下文|token)  # gateways
        ^(?:\w+(?: \(\w+\))? 4\d\d: )?(?:error code: )?4(?:00|13|22)(?: status code)?(?: \(no body\))?$  # Cerebras, TGI
        """),
    "account": _any_of(r"""
        \bapi[ _-]?key\b.{0,30}\b(?:not valid|invalid|incorrect|expired|revoked|disabled|deactivated)  # Google, xAI
        \bapi[ _-]?key\b.{0,30}\b(?:not found|missing|required|not provided)  # gateways
        \b(?:invalid|incorrect|missing|no|expired|wrong|malformed|bad) (?:x-)?api[ _-]?key  # OpenAI, Anthropic
        \binvalid_?api_?key  # OpenAI
        \bapi_?key (?:client option|argument|must be)  # openai
        \bcredit (?:balance|limit)\b.{0,30}\b(?:low|insufficient|exceed|exhaust|reach)  # Anthropic, TokenRouter
        \b(?:insufficient|not enough|no) (?:account |usd |user )?(?:balance|credits?|funds)  # DeepSeek, MiniMax
        \binsufficient_(?:balance|credits?|funds|user_quota)  # gateways
        \b(?:requires?|need|purchase|buy|add) (?:more |additional )?credits  # OpenRouter
        \b(?:out|run out) of (?:credits|funds)  # generic
        \b(?:used|exhausted|spent|exceeded) (?:all |up )?(?:of )?(?:\w+ ){0,3}credits  # xAI, Hugging Face
        \bcredits?\b.{0,20}\b(?:exhausted|depleted|expired|used up)  # generic
        \bdoesn't have any credits  # xAI
        \bbalance (?:is )?(?:insufficient|not enough|too low|depleted|exhausted)  # SiliconFlow
        \bpayment[ _](?:is )?required  # HTTP
        \bbilling[ _](?:error|hard[ _]limit|not active|is (?:not|disabled)|issue)  # OpenAI
        \b(?:requires?|enable) billing  # Google
        \b(?:account|organization|team|consumer)\b.{0,30}\b(?:(?:not |in)active|deactivated|suspended|disabled)  # OpenAI
        \baccount\b.{0,30}\b(?:overdue|in arrears|good standing)  # DashScope
        \boverdue[- ]payment  # DashScope
        \bspending limit  # xAI
        \bkey limit exceeded  # OpenRouter
        余额|欠费|充值|arrears|api ?key.{0,6}(?:无效|错误|过期)  # Zhipu, DashScope
        """),
    "auth": _any_of(r"""
        \bunauthori[sz]ed\b  # HTTP
        \bunauthenticated\b  # gRPC
        \bforbidden\b  # HTTP
        \bauthenticat(?:ion|e)\b  # DeepSeek, Moonshot
        \binvalid (?:auth\w*|bearer|access|security|session|refresh|id)? ?(?:token|credentials?|signature)  # Together
        \b(?:auth|oauth|bearer|access|security|session|refresh|id)[ _]token\b.{0,40}\b(?:invalid|expired|revoked)  # AWS
        \btoken (?:is |has |was )?(?:been )?(?:expired|invalid|revoked)\b  # AWS
        \b(?:session|credentials?)\b.{0,60}\bexpired\b  # AWS
        \bpermission[ _]?denied  # Google
        \b(?:insufficient|missing|no) (?:permissions?|scopes?)\b  # OpenAI
        \b(?:access|iam)\b.{0,20}\bdenied  # AWS
        \bnot authori[sz]ed\b  # AWS, MiniMax
        (?<!or you )\b(?:don't|do not|doesn't|does not) have (?:permission|access)  # Bedrock
        \bsecurity token included in the request  # AWS
        \bsignature\b.{0,60}\bdoes not match  # AWS
        \b(?:unable|failed) to (?:locate|load|find|retrieve|refresh) .{0,20}(?:credentials|token)  # botocore, Azure
        \b(?:no|default|missing) (?:\w+ ){0,2}credentials  # OpenRouter, google-auth
        \binvalid_grant\b  # OAuth
        ^user not found  # OpenRouter
        \blogin fail  # MiniMax
        \bmust be a member of an organization  # OpenAI
        \b(?:log ?in|sign ?in|re-?auth\w*) (?:again|required|needed|is needed)  # google-auth
        \b(?:country|region|territory)[^.]{0,40}\bnot supported  # OpenAI
        未授权|鉴权|身份验证|无权|认证失败  # Zhipu
        """),
    "server": _any_of(r"""
        \bover ?load(?:ed|ing)?\b  # Anthropic, Moonshot
        \b(?:is|are|too|server|system|service|currently) (?:\w+ ){0,2}busy\b  # DeepSeek, SiliconFlow
        \b(?:temporarily|currently|service|is) ?unavailable  # HTTP
        \b(?:at|over|out of|no|insufficient) (?:\w+ )?capacity  # Codex, Bedrock
        \bhigh (?:demand|load|traffic)  # Gemini
        \binternal (?:server )?(?:error|failure|exception)  # HTTP
        \bapi_error\b  # Anthropic
        \bupstream[_ ](?:\w+ )?(?:error|request|connect|server|service|timeout|failure|is|returned)  # envoy, gateways
        \bno healthy upstream  # envoy
        \bbad gateway  # HTTP
        \bgateway[ -]time-?out  # HTTP
        \bserver had an error  # OpenAI
        \b(?:error|issue|problem) (?:\w+ )?(?:occurred )?while processing (?:your|the) request  # OpenAI
        \bunable to process your request  # Bedrock
        \bunexpected error during processing  # Bedrock
        \bsomething went wrong  # generic
        \bprovider returned error  # OpenRouter
        \bdeadline expired before operation  # Vertex AI
        \bmodel\b.{0,60}\b(?:is loading|currently loading|still loading|not ready|warming up)  # Hugging Face
        ^loading model  # llama.cpp
        \bno available (?:channel|server|worker|backend|account|instance)  # new-api
        \b(?:cuda|out of memory|runner process has terminated|enginecore|engine (?:is )?dead)\b  # vLLM, Ollama
        \bweb server is (?:down|returning)  # Cloudflare
        \bunder maintenance  # generic
        访问量过大|繁忙|服务器?(?:内部)?错误|内部错误|负载|无可用渠道  # Zhipu, new-api
        """),
    "network": _any_of(r"""
        \bconnection\b.{0,30}\b(?:error|refused|reset|aborted|closed|broken?|failed|timed out)  # SDKs, Python, urllib3
        \bconnection\b.{0,30}\b(?:lost|dropped|terminated|interrupted)  # gateways
        \bconnection (?:to .{0,60} )?was closed  # botocore
        \b(?:closed|lost|dropped|reset) (?:the )?connection  # http.client
        \bconnect call failed  # asyncio
        \b(?:could not|cannot|can't|failed to|unable to|error) connect  # botocore, aiohttp, Ollama
        \ball connection attempts failed  # httpx
        \bmax retries exceeded with url  # requests
        \b(?:server|client|peer|remote|stream|socket)(?: unexpectedly)? (?:disconnected|closed|hung up)  # httpx
        \bother side closed  # undici
        \bincomplete (?:chunked )?read  # httpx
        \bincompleteread\b  # http.client
        \binvalidchunk(?:length|ed)  # urllib3
        \bpayload is not completed  # aiohttp
        \bended (?:prematurely|without|before|unexpectedly)  # requests, SDKs
        \b(?:premature(?:ly)? close|closed prematurely)  # node-fetch
        \bwithout sending (?:any |a )?(?:chunks?|response|complete)  # anthropic
        \b(?:broke|cut) off before  # this package
        \bbefore message completed  # hyper
        \bstream (?:was )?(?:reset|interrupted|terminated|error|idle)  # Codex
        \b(?:error sending request|error decoding response body|error reading a body)  # reqwest
        \beconn(?:reset|refused|aborted)\b  # node
        \be(?:timedout|sockettimedout|pipe|hostunreach|netunreach|netdown|notfound|ai_again)\b  # node
        \bund_err_\w  # undici
        \bsocket (?:hang up|connection|error)  # node
        \bfetch failed\b  # undici
        \bfailed to fetch\b  # browsers
        \bnetwork[ _](?:error|is unreachable|connection|request failed|issue)  # all
        ^(?:typeerror: )?terminated$  # undici
        \btimed?[ -]?out\b  # all
        \btimeout\b  # all
        \bdeadline exceeded  # Go
        \bname or service not known  # Linux
        \bname resolution  # Linux, urllib3
        \bnodename nor servname  # macOS
        \bgetaddrinfo\b  # all
        \bno (?:route to host|address associated|such host)  # Linux, Go
        \bfailed to resolve  # urllib3
        \b(?:unexpected eof|eof occurred|broken pipe|unexpected end of (?:file|stream))  # Python, Go
        \b(?:ssl|tls)\b.{0,20}\b(?:error|alert|handshake|certificate|failed|version)  # OpenSSL
        \bcertificate verify failed  # OpenSSL
        \[ssl[:\]]  # Python
        网络错误|连接超时|请求超时  # Zhipu
        """),
    "model": _any_of(r"""
        \bcontent[ _-]?(?:filter|polic|management|moderation)  # Azure, OpenAI
        \bmodel\b.{0,80}\b(?:not found|does not exist|not exist|not supported)  # all
        \b(?:unknown|invalid|unsupported|no such) model\b  # all
        \bno (?:allowed providers|endpoints) (?:are |found)  # OpenRouter
        """),
}
"""What messages say, in lower case."""
