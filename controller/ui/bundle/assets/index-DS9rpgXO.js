var e=globalThis,t=e.ShadowRoot&&(e.ShadyCSS===void 0||e.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,n=Symbol(),r=new WeakMap,i=class{constructor(e,t,r){if(this._$cssResult$=!0,r!==n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,n=this.t;if(t&&e===void 0){let t=n!==void 0&&n.length===1;t&&(e=r.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),t&&r.set(n,e))}return e}toString(){return this.cssText}},a=e=>new i(typeof e==`string`?e:e+``,void 0,n),o=(e,...t)=>new i(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,n),s=(n,r)=>{if(t)n.adoptedStyleSheets=r.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let t of r){let r=document.createElement(`style`),i=e.litNonce;i!==void 0&&r.setAttribute(`nonce`,i),r.textContent=t.cssText,n.appendChild(r)}},c=t?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return a(t)})(e):e,{is:l,defineProperty:u,getOwnPropertyDescriptor:d,getOwnPropertyNames:f,getOwnPropertySymbols:p,getPrototypeOf:m}=Object,ee=globalThis,te=ee.trustedTypes,ne=te?te.emptyScript:``,re=ee.reactiveElementPolyfillSupport,ie=(e,t)=>e,ae={toAttribute(e,t){switch(t){case Boolean:e=e?ne:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},oe=(e,t)=>!l(e,t),se={attribute:!0,type:String,converter:ae,reflect:!1,useDefault:!1,hasChanged:oe};Symbol.metadata??=Symbol(`metadata`),ee.litPropertyMetadata??=new WeakMap;var ce=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=se){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&u(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=d(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??se}static _$Ei(){if(this.hasOwnProperty(ie(`elementProperties`)))return;let e=m(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(ie(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(ie(`properties`))){let e=this.properties,t=[...f(e),...p(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(c(e))}else e!==void 0&&t.push(c(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return s(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?ae:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?ae:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??oe)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};ce.elementStyles=[],ce.shadowRootOptions={mode:`open`},ce[ie(`elementProperties`)]=new Map,ce[ie(`finalized`)]=new Map,re?.({ReactiveElement:ce}),(ee.reactiveElementVersions??=[]).push(`2.1.2`);var le=globalThis,ue=e=>e,de=le.trustedTypes,fe=de?de.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,pe=`$lit$`,h=`lit$${Math.random().toFixed(9).slice(2)}$`,me=`?`+h,he=`<${me}>`,g=document,ge=()=>g.createComment(``),_e=e=>e===null||typeof e!=`object`&&typeof e!=`function`,ve=Array.isArray,ye=e=>ve(e)||typeof e?.[Symbol.iterator]==`function`,be=`[ 	
\f\r]`,xe=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Se=/-->/g,Ce=/>/g,_=RegExp(`>|${be}(?:([^\\s"'>=/]+)(${be}*=${be}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),we=/'/g,Te=/"/g,Ee=/^(?:script|style|textarea|title)$/i,De=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),v=De(1),Oe=De(2),y=Symbol.for(`lit-noChange`),b=Symbol.for(`lit-nothing`),ke=new WeakMap,x=g.createTreeWalker(g,129);function Ae(e,t){if(!ve(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return fe===void 0?t:fe.createHTML(t)}var je=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=xe;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===xe?c[1]===`!--`?o=Se:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=_):(Ee.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=_):o=Ce:o===_?c[0]===`>`?(o=i??xe,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?_:c[3]===`"`?Te:we):o===Te||o===we?o=_:o===Se||o===Ce?o=xe:(o=_,i=void 0);let d=o===_&&e[t+1].startsWith(`/>`)?` `:``;a+=o===xe?n+he:l>=0?(r.push(s),n.slice(0,l)+pe+n.slice(l)+h+d):n+h+(l===-2?t:d)}return[Ae(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Me=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=je(t,n);if(this.el=e.createElement(l,r),x.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=x.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(pe)){let t=u[o++],n=i.getAttribute(e).split(h),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Ie:r[1]===`?`?Le:r[1]===`@`?Re:Fe}),i.removeAttribute(e)}else e.startsWith(h)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(Ee.test(i.tagName)){let e=i.textContent.split(h),t=e.length-1;if(t>0){i.textContent=de?de.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],ge()),x.nextNode(),c.push({type:2,index:++a});i.append(e[t],ge())}}}else if(i.nodeType===8){if(i.data===me)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(h,e+1))!==-1;)c.push({type:7,index:a}),e+=h.length-1}}a++}}static createElement(e,t){let n=g.createElement(`template`);return n.innerHTML=e,n}};function S(e,t,n=e,r){if(t===y)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=_e(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=S(e,i._$AS(e,t.values),i,r)),t}var Ne=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??g).importNode(t,!0);x.currentNode=r;let i=x.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new Pe(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new ze(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=x.nextNode(),a++)}return x.currentNode=g,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},Pe=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=b,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=S(this,e,t),_e(e)?e===b||e==null||e===``?(this._$AH!==b&&this._$AR(),this._$AH=b):e!==this._$AH&&e!==y&&this._(e):e._$litType$===void 0?e.nodeType===void 0?ye(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==b&&_e(this._$AH)?this._$AA.nextSibling.data=e:this.T(g.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Me.createElement(Ae(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new Ne(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=ke.get(e.strings);return t===void 0&&ke.set(e.strings,t=new Me(e)),t}k(t){ve(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(ge()),this.O(ge()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=ue(e).nextSibling;ue(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},Fe=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=b,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=b}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=S(this,e,t,0),a=!_e(e)||e!==this._$AH&&e!==y,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=S(this,r[n+o],t,o),s===y&&(s=this._$AH[o]),a||=!_e(s)||s!==this._$AH[o],s===b?e=b:e!==b&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===b?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Ie=class extends Fe{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===b?void 0:e}},Le=class extends Fe{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==b)}},Re=class extends Fe{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=S(this,e,t,0)??b)===y)return;let n=this._$AH,r=e===b&&n!==b||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==b&&(n===b||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},ze=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){S(this,e)}},Be={M:pe,P:h,A:me,C:1,L:je,R:Ne,D:ye,V:S,I:Pe,H:Fe,N:Le,U:Re,B:Ie,F:ze},Ve=le.litHtmlPolyfillSupport;Ve?.(Me,Pe),(le.litHtmlVersions??=[]).push(`3.3.3`);var He=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new Pe(t.insertBefore(ge(),e),e,void 0,n??{})}return i._$AI(e),i},Ue=globalThis,C=class extends ce{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=He(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return y}};C._$litElement$=!0,C.finalized=!0,Ue.litElementHydrateSupport?.({LitElement:C});var We=Ue.litElementPolyfillSupport;We?.({LitElement:C}),(Ue.litElementVersions??=[]).push(`4.2.2`);var Ge=e=>(t,n)=>{n===void 0?customElements.define(e,t):n.addInitializer(()=>{customElements.define(e,t)})},Ke={attribute:!0,type:String,converter:ae,reflect:!1,hasChanged:oe},qe=(e=Ke,t,n)=>{let{kind:r,metadata:i}=n,a=globalThis.litPropertyMetadata.get(i);if(a===void 0&&globalThis.litPropertyMetadata.set(i,a=new Map),r===`setter`&&((e=Object.create(e)).wrapped=!0),a.set(n.name,e),r===`accessor`){let{name:r}=n;return{set(n){let i=t.get.call(this);t.set.call(this,n),this.requestUpdate(r,i,e,!0,n)},init(t){return t!==void 0&&this.C(r,void 0,e,t),t}}}if(r===`setter`){let{name:r}=n;return function(n){let i=this[r];t.call(this,n),this.requestUpdate(r,i,e,!0,n)}}throw Error(`Unsupported decorator location: `+r)};function w(e){return(t,n)=>typeof n==`object`?qe(e,t,n):((e,t,n)=>{let r=t.hasOwnProperty(n);return t.constructor.createProperty(n,e),r?Object.getOwnPropertyDescriptor(t,n):void 0})(e,t,n)}function T(e){return w({...e,state:!0,attribute:!1})}var Je=(e,t,n)=>(n.configurable=!0,n.enumerable=!0,Reflect.decorate&&typeof t!=`object`&&Object.defineProperty(e,t,n),n);function E(e,t){return(n,r,i)=>{let a=t=>t.renderRoot?.querySelector(e)??null;if(t){let{get:e,set:t}=typeof r==`object`?n:i??(()=>{let e=Symbol();return{get(){return this[e]},set(t){this[e]=t}}})();return Je(n,r,{get(){let n=e.call(this);return n===void 0&&(n=a(this),(n!==null||this.hasUpdated)&&t.call(this,n)),n}})}return Je(n,r,{get(){return a(this)}})}}function Ye(e){let t=D(e),n=D(t.metadata),r=D(t.status),i=tt(r.latestRun)?Qe(r.latestRun):null,a=O(r.stacks).map(Ze).filter(e=>e.id!==``),o=Date.parse(k(D(r.graph).resolvedTime)),s=i!==null&&i.startTime!==``&&o>=Date.parse(i.startTime);return{namespace:k(n.namespace),name:k(n.name),ready:Xe(r).find(e=>e.type===`Ready`)??null,run:i,nextTime:k(D(r.schedule).nextTime),history:O(r.history).map(Qe),stacks:s?et(a):[],isBeforeStacks:i!==null&&!s}}function Xe(e){return O(e.conditions).map(e=>{let t=D(e);return{type:k(t.type),status:k(t.status),reason:k(t.reason),message:k(t.message)}})}function Ze(e){let t=D(e),n=k(t.id),r=D(t.delta);return{id:n,name:k(t.name)||n,level:Math.max(0,Math.trunc(j(t.level,0))),phase:k(t.phase)||`Pending`,dependsOn:O(t.dependsOn).filter(e=>typeof e==`string`),reason:k(t.reason),message:k(t.message),runId:k(t.runId),runSource:k(t.runSource),runState:k(t.runState),runUrl:$e(t.runUrl),attempts:j(t.attempts,1),startTime:k(t.startTime),completionTime:k(t.completionTime),delta:tt(t.delta)?{added:j(r.added,0),changed:j(r.changed,0),deleted:j(r.deleted,0)}:null}}function Qe(e){let t=D(e);return{number:j(t.number,0),cause:k(t.cause),operation:k(t.operation)||`Apply`,phase:k(t.phase)||`Pending`,reason:k(t.reason),message:k(t.message),progress:k(t.progress),startTime:k(t.startTime),completionTime:k(t.completionTime),estimatedCompletionTime:k(t.estimatedCompletionTime),workflowUrl:$e(t.workflowUrl)}}function $e(e){if(typeof e!=`string`||!URL.canParse(e))return``;let t=new URL(e);return(t.protocol===`https:`||t.protocol===`http:`)&&t.username===``&&t.password===``?t.href:``}function et(e){return[...new Map(e.map(e=>[e.id,e])).values()]}function tt(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}function D(e){return tt(e)?e:{}}function O(e){return Array.isArray(e)?e:[]}function k(e){return typeof e==`string`?e:``}function A(e,t){return Object.hasOwn(e,t)?e[t]:void 0}function j(e,t){return typeof e==`number`&&Number.isFinite(e)?e:t}var nt={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},rt=e=>(...t)=>({_$litDirective$:e,values:t}),it=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:at}=Be,ot=e=>e,st=()=>document.createComment(``),ct=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new at(r.insertBefore(st(),i),r.insertBefore(st(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=ot(e).nextSibling;ot(r).insertBefore(e,i),e=t}}}return n},M=(e,t,n=e)=>(e._$AI(t,n),e),lt={},ut=(e,t=lt)=>e._$AH=t,dt=e=>e._$AH,ft=e=>{e._$AR(),e._$AA.remove()},pt=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},mt=rt(class extends it{constructor(e){if(super(e),e.type!==nt.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=dt(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=M(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=M(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=M(i[d],a[m]),ct(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=M(i[f],a[p]),ct(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=pt(o,p,m),u=pt(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=ct(e,i[d]);M(t,a[p]),c[p]=t}else c[p]=M(n,a[p]),ct(e,i[d],n),i[t]=null;p++}else ft(i[f]),f--}else ft(i[d]),d++;for(;p<=m;){let t=ct(e,c[m+1]);M(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&ft(e)}return this.ut=o,ut(e,c),y}}),ht={Failed:{word:`Failed`,glyph:`cross`,tone:`bad`,rank:0},TimedOut:{word:`Timed out`,glyph:`clock`,tone:`bad`,rank:1},Canceled:{word:`Canceled`,glyph:`stop`,tone:`bad`,rank:2},AwaitingConfirmation:{word:`Awaits confirmation`,glyph:`person`,tone:`attention`,rank:3},Waiting:{word:`Waiting`,glyph:`hourglass`,tone:`attention`,rank:4},Running:{word:`Running`,glyph:`play`,tone:`active`,rank:5},Pending:{word:`Pending`,glyph:`dot`,tone:`faint`,rank:6},Skipped:{word:`Skipped`,glyph:`dash`,tone:`faint`,rank:7},Succeeded:{word:`Succeeded`,glyph:`check`,tone:`good`,rank:8}},gt={cross:`M4.5 4.5l7 7M11.5 4.5l-7 7`,clock:`M8 2.5a5.5 5.5 0 1 1-.01 0M8 5v3.2l2.2 1.6`,stop:`M4.5 4.5h7v7h-7z`,person:`M8 3a2.3 2.3 0 1 1-.01 0M3.8 13c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4`,hourglass:`M4.5 3h7M4.5 13h7M5.5 3c0 3 5 4 5 10M10.5 3c0 3-5 4-5 10`,play:`M5.5 3.8v8.4l6.5-4.2z`,dot:`M8 7.2a.8.8 0 1 1-.01 0`,dash:`M4.5 8h7`,check:`M3.5 8.5l3 3 6-7`,question:`M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1V9.5M8 12v.1`};function N(e){return A(ht,e)??{word:e,glyph:`question`,tone:`attention`,rank:3}}var _t={Adopted:`adopted, started by Spacelift or others`,Triggered:`triggered by the chain`};function vt(e){return A(_t,e)??e}function yt(e){return[`Succeeded`,`Failed`,`Skipped`,`Canceled`,`TimedOut`].includes(e)}function P(e,t,n){let r=Date.parse(e),i=t?Date.parse(t):n;return Number.isFinite(r)&&Number.isFinite(i)?Math.max(0,Math.floor((i-r)/1e3)):null}function F(e){if(e===null)return``;let t=e=>String(e).padStart(2,`0`);return e<60?`${e}s`:e<3600?`${Math.floor(e/60)}m${t(e%60)}s`:e<86400?`${Math.floor(e/3600)}h${t(Math.floor(e%3600/60))}m`:`${Math.floor(e/86400)}d${t(Math.floor(e%86400/3600))}h`}function I(e,t){let n=P(e,``,t);if(n===null)return``;let r=[[86400,`d`],[3600,`h`],[60,`m`]].find(([e])=>n>=e);return r?`${Math.floor(n/r[0])}${r[1]}`:`${n}s`}function bt(e){if(e===null)return``;let{added:t,changed:n,deleted:r}=e;return t||n||r?`+${t} ~${n} -${r}`:`no changes`}function L(e,t,n=`${t}s`){return`${e.toLocaleString(`en-US`)} ${e===1?t:n}`}function xt(e,...t){let n=t.join(`
`).toLowerCase();return e.toLowerCase().split(/\s+/).every(e=>n.includes(e))}function St({run:e,isBeforeStacks:t}){return e===null?`No run has read the stacks of this chain yet.`:t?yt(e.phase)?`The run ended before it had read its stacks.`:`The run has not read its stacks yet.`:`The run has no stacks.`}function R(e){let t=new Date(e);return Number.isNaN(t.getTime())?``:t.toLocaleString(`en-US`,{month:`short`,day:`numeric`,hour:`2-digit`,minute:`2-digit`,second:`2-digit`,hour12:!1})}function Ct(e,t){let n=Math.floor((Date.parse(e)-t)/1e3);if(!Number.isFinite(n))return``;let r=new Date(e).toLocaleTimeString(`en-US`,{hour:`2-digit`,minute:`2-digit`,hour12:!1});return n>0?`${r}, in ${F(n)}`:`${r}, overdue`}function z(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g,` `).replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,``).trim()}var wt=o`
  :host {
    --canvas: #f6f7f9;
    --surface: #ffffff;
    --hover: #eef1f5;
    --line: #e2e6ec;
    --line-strong: #c8ced8;
    --text: #12161d;
    --muted: #586171;
    --accent: #2457d6;
    --accent-soft: #e8effd;
    --good: #187440;
    --good-soft: #e6f5ec;
    --bad: #b91f2b;
    --bad-soft: #fdebec;
    --active: #1a5fc0;
    --active-soft: #e6f0fd;
    --attention: #855500;
    --attention-soft: #fdf2d8;
    --faint: #586171;
    --faint-soft: #eff1f4;
    --edge: #b8c0cc;
    --shadow: 0 1px 2px rgb(16 24 40 / 6%);
    --shadow-high: 0 8px 28px rgb(16 24 40 / 16%);
    --radius: 8px;
    --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    color-scheme: light;
    color: var(--text);
    font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", sans-serif;
    font-variant-numeric: tabular-nums;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --canvas: #0b0e12;
      --surface: #151920;
      --hover: #1f2530;
      --line: #262d38;
      --line-strong: #3b4452;
      --text: #e7eaf0;
      --muted: #9ba5b4;
      --accent: #7ba7ff;
      --accent-soft: #17233d;
      --good: #55c98c;
      --good-soft: #11261b;
      --bad: #ff8585;
      --bad-soft: #34171b;
      --active: #76adff;
      --active-soft: #14243e;
      --attention: #e6b450;
      --attention-soft: #2f2511;
      --faint: #9ba5b4;
      --faint-soft: #1d222b;
      --edge: #444e5d;
      --shadow: 0 1px 2px rgb(0 0 0 / 40%);
      --shadow-high: 0 10px 32px rgb(0 0 0 / 55%);
      color-scheme: dark;
    }
  }
  * {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
`,Tt=o`
  button,
  input {
    font: inherit;
    color: inherit;
  }
  a {
    color: var(--accent);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .button {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    cursor: pointer;
    white-space: nowrap;
  }
  .button:hover {
    background: var(--hover);
    text-decoration: none;
  }
  .button[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
    color: var(--accent);
  }
  .button.icon {
    width: 30px;
    padding: 0;
    justify-content: center;
  }
  .button.plain {
    border-color: transparent;
    background: none;
  }
  .field {
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    min-width: 0;
  }
  .field::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .good {
    --tone: var(--good);
    --tone-soft: var(--good-soft);
  }
  .bad {
    --tone: var(--bad);
    --tone-soft: var(--bad-soft);
  }
  .active {
    --tone: var(--active);
    --tone-soft: var(--active-soft);
  }
  .attention {
    --tone: var(--attention);
    --tone-soft: var(--attention-soft);
  }
  .faint {
    --tone: var(--faint);
    --tone-soft: var(--faint-soft);
  }
  .phase {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    color: var(--tone);
    font-weight: 550;
    white-space: nowrap;
  }
  .glyph {
    flex: none;
    width: 20px;
    height: 20px;
    padding: 2px;
    border-radius: 50%;
    background: var(--tone-soft);
    color: var(--tone);
  }
  .glyph path {
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.7;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .id {
    display: inline-flex;
    min-width: 0;
    max-width: 100%;
    unicode-bidi: isolate;
    white-space: pre;
  }
  .id .head {
    overflow: hidden;
    text-overflow: ellipsis;
    min-width: 1ch;
  }
  .id .tail {
    flex: none;
  }
  .muted {
    color: var(--muted);
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;function B(e){let t=[...z(e)],[n,r]=[t.slice(0,-9).join(``),t.slice(-9).join(``)];return n?v`<span class="id" title=${z(e)}
    ><span class="unseen">${z(e)}</span><span class="head" aria-hidden="true">${n}</span
    ><span class="tail" aria-hidden="true">${r}</span></span
  >`:v`<span class="id">${r}</span>`}function V(e){return v`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
    ${Oe`<path d=${gt[e]??``}></path>`}
  </svg>`}function Et(e){let t=N(e);return v`<span class="phase ${t.tone}">${V(t.glyph)}${t.word}</span>`}var Dt={plus:`M8 3v10M3 8h10`,minus:`M3 8h10`,fit:`M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3`,close:`M4 4l8 8M12 4l-8 8`,out:`M6.5 3.5H3.5v9h9v-3M9 3h4v4M13 3L7.5 8.5`,search:`M7 3a4 4 0 1 1-.01 0M10 10l3.5 3.5`,fold:`M8 2v4M5.8 4.2L8 6.4l2.2-2.2M8 14v-4M5.8 11.8L8 9.6l2.2 2.2M3 8h10`};function H(e){return v`<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="none"
    stroke="currentcolor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
    ${Oe`<path d=${Dt[e]??``}></path>`}
  </svg>`}var U=rt(class extends it{constructor(e){if(super(e),e.type!==nt.ELEMENT)throw Error(`styles() is for elements`)}render(e){return y}update(e,[t]){let{style:n}=e.element;for(let[e,r]of Object.entries(t))n.getPropertyValue(e)!==r&&n.setProperty(e,r);return y}}),Ot=2;function kt(e,t){return`group:${e}:${t}`}var At=new Set([`OutputUnchanged`,`Bypassed`]);function jt(e){switch(e.phase){case`Succeeded`:return`finished`;case`Pending`:return`pending`;case`Skipped`:return At.has(e.reason??``)?`finished`:`skipped`;default:return null}}function Mt(e,t){let n=t.isFolded?Nt(e,t):new Map,r=new Map;for(let t of e)r.set(t.id,t.id);for(let[e,t]of n)t.forEach(t=>r.set(t.id,e));let i=new Map;for(let t of e){let e=r.get(t.id)??t.id,n=i.get(e)??{stacks:[],upstreams:new Set};i.set(e,n),n.stacks.push(t);for(let i of t.dependsOn){let t=r.get(i);t!==void 0&&t!==e&&n.upstreams.add(t)}}return[...i].map(([e,t])=>({key:e,level:t.stacks[0]?.level??0,upstreams:[...t.upstreams].sort(),stacks:t.stacks,kind:n.has(e)&&t.stacks[0]?jt(t.stacks[0]):null}))}function Nt(e,t){let n=new Map;for(let r of e){let e=jt(r);if(e===null||t.shown.has(r.id))continue;let i=kt(r.level,e);t.opened.has(i)||n.set(i,[...n.get(i)??[],r])}for(let[e,t]of n)t.length<Ot&&n.delete(e);return n}function Pt(e,t){let n=new Map(e.map(e=>[e.id,e.dependsOn])),r=new Map;for(let t of e)for(let e of t.dependsOn){let n=r.get(e);n?n.push(t.id):r.set(e,[t.id])}return{upstream:Ft(t,n),downstream:Ft(t,r)}}function Ft(e,t){let n=new Set,r=[e];for(let i=r.pop();i!==void 0;i=r.pop())for(let a of t.get(i)??[])a!==e&&!n.has(a)&&(n.add(a),r.push(a));return n}var It=8,Lt=10;function Rt(e){for(let t of e)t.sort((e,t)=>W(e.key,t.key)),Ut(t);let t=Wt(e),n=Ht(e);for(let r=0;r<It&&n>0;r+=1){let i=r%2==0;for(let t of i?e:[...e].reverse())Vt(t,i);let a=Ht(e);a<n&&([t,n]=[Wt(e),a])}t.forEach((t,n)=>{e[n]=t,Ut(t)}),zt(e)}function zt(e){for(let t of e){let e=0;for(let n of t)n.y=e+n.height/2,e+=n.height}for(let t=0;t<Lt;t+=1){let n=t%2==0;for(let t of n?e:[...e].reverse())Bt(t,n?e=>e.ups:e=>e.downs)}for(let t of e)Bt(t,e=>[...e.ups,...e.downs])}function Bt(e,t){let n=0,r=e.map((t,r)=>{let i=e[r-1];return n+=i?(i.height+t.height)/2:0,n}),i=[];e.forEach((e,n)=>{let a=t(e),o=a.length>0?1:.05,s={sum:((a.length>0?Gt(a.map(e=>e.y)):e.y)-(r[n]??0))*o,weight:o,count:1};for(let e=i.at(-1);e&&e.sum/e.weight>s.sum/s.weight;)i.pop(),s={sum:e.sum+s.sum,weight:e.weight+s.weight,count:e.count+s.count},e=i.at(-1);i.push(s)});let a=0;for(let t of i)for(let n=a+t.count;a<n;a+=1){let n=e[a];n&&(n.y=t.sum/t.weight+(r[a]??0))}}function Vt(e,t){let n=new Map(e.map(e=>{let n=t?e.ups:e.downs;return[e,n.length>0?Gt(n.map(e=>e.order)):e.order]}));e.sort((e,t)=>(n.get(e)??0)-(n.get(t)??0)||e.order-t.order||W(e.key,t.key)),Ut(e)}function Ht(e){let t=0;for(let n of e.slice(1)){let e=n.flatMap(e=>e.ups.map(e=>e.order).sort((e,t)=>e-t)),r=Array(Math.max(0,...e)+2).fill(0);e.forEach((e,n)=>{let i=0;for(let t=e+1;t>0;t-=t&-t)i+=r[t]??0;t+=n-i;for(let t=e+1;t<r.length;t+=t&-t)r[t]=(r[t]??0)+1})}return t}function Ut(e){e.forEach((e,t)=>{e.order=t})}function Wt(e){return e.map(e=>[...e])}function Gt(e){return e.reduce((e,t)=>e+t,0)/e.length}function W(e,t){return e<t?-1:+(e>t)}var Kt=.3;function qt(e,t,n=null){let r=Jt(e),i=n!==null&&Yt(n,r,t)?n:null,a=Mt(e,{...t,shown:i?Xt(i):new Set}),o=Zt(a),s=i?nn(a,o,i):null,c=s?{boxes:s,bends:new Map}:Qt(a,o),l=sn(a,c.boxes,c.bends);return{boxes:c.boxes,edges:i&&s?dn(l,i):l,width:Math.max(0,...c.boxes.map(e=>e.x+240)),height:Math.max(0,...c.boxes.map(e=>e.y+46)),structure:r,folding:t}}function Jt(e){return e.map(e=>`${e.id}\t${e.level}\t${[...e.dependsOn].sort().join(`	`)}`).sort().join(`
`)}function Yt(e,t,n){let{isFolded:r,opened:i}=e.folding;return e.structure===t&&r===n.isFolded&&[...i].every(e=>n.opened.has(e))}function Xt(e){return new Set(e.boxes.filter(e=>e.item.kind===null).map(e=>e.key))}function Zt(e){let t=[...new Set(e.map(e=>e.level))].sort((e,t)=>e-t);return new Map(t.map((e,t)=>[e,t]))}function Qt(e,t){let n=new Map,r=[...t].map(()=>[]),i=(e,t,i)=>{let a={key:e,column:t,height:i,ups:[],downs:[],order:0,y:0};return n.set(e,a),r[t]?.push(a),a};for(let n of e)i(n.key,t.get(n.level)??0,1);for(let t of e)for(let e of t.upstreams)en(n,i,e,t.key);Rt(r);let a=Math.min(...r.flat().map(e=>e.y-e.height/2),1/0),o=e=>Math.round((e-a)*60);return{boxes:e.map(e=>{let r=t.get(e.level)??0,i=o((n.get(e.key)?.y??0)-.5);return{key:e.key,item:e,column:r,x:r*316,y:i}}),bends:new Map([...n.values()].filter(e=>e.height<1).map(e=>[e.key,o(e.y)-7]))}}function $t(e,t){return`bend:${t}:${e}`}function en(e,t,n,r){let[i,a]=[e.get(n),e.get(r)];if(!i||!a||i.column>=a.column)return;let o=i;for(let r=i.column+1;r<a.column;r+=1){let i=$t(n,r),a=e.get(i),s=a??t(i,r,Kt);a||tn(o,s),o=s}tn(o,a)}function tn(e,t){e.downs.push(t),t.ups.push(e)}function nn(e,t,n){let r=new Map(n.boxes.map(e=>[e.key,e])),i=new Map;for(let n of e){let e=r.get(n.key);if(e){if(e.column!==t.get(n.level))return null;i.set(n.key,{...e,item:n})}}let a=new Map,o=e=>{let t=a.get(e)??[...i.values()].filter(t=>t.column===e).map(e=>e.y);return a.set(e,t),t},s=(e,t,n)=>{i.set(e.key,{key:e.key,item:e,column:t,x:t*316,y:n})},c=e=>{let t=e.upstreams.map(e=>i.get(e)?.y).filter(e=>e!==void 0);return t.length>0?t.reduce((e,t)=>e+t,0)/t.length:null},l=e.filter(e=>!i.has(e.key));for(let[e,r]of rn(l,n)){let n=t.get(r[0]?.level??0)??0,i=o(n),a=r.map(t=>{let n=on(e?.y??c(t)??0,i);return i.push(n),{item:t,y:n}});(e===null?a:an(a,c)).forEach(({item:e,y:t})=>s(e,n,t))}return e.map(e=>i.get(e.key)).filter(e=>e!==void 0)}function rn(e,t){let n=new Map;for(let e of t.boxes.filter(({item:e})=>e.kind!==null))e.item.stacks.forEach(t=>n.set(t.id,e));let r=new Map;for(let t of[...e].sort((e,t)=>e.level-t.level)){let e=t.kind===null?n.get(t.key)??null:null,i=e?.key??t.key,a=r.get(i)??[e,[]];a[1].push(t),r.set(i,a)}return[...r.values()]}function an(e,t){let n=e.map(({y:e})=>e).sort((e,t)=>e-t),r=new Map(e.map(({item:e})=>[e,t(e)??1/0]));return e.map(({item:e})=>e).sort((e,t)=>(r.get(e)??0)-(r.get(t)??0)||W(e.key,t.key)).map((e,t)=>({item:e,y:n[t]??0}))}function on(e,t){return[Math.max(0,e),...t.flatMap(e=>[e+60,e-60])].filter(e=>e>=0&&t.every(t=>Math.abs(t-e)>=60)).map(e=>Math.round(e)).sort((t,n)=>Math.abs(t-e)-Math.abs(n-e)||n-t)[0]??0}function sn(e,t,n){let r=new Map(t.map(e=>[e.key,e]));return e.flatMap(e=>e.upstreams.flatMap(t=>{let[i,a]=[r.get(t),r.get(e.key)];if(!i||!a)return[];let o=cn(i,a,n);return[{key:`${t}\t${e.key}`,from:t,to:e.key,path:o}]}))}function cn(e,t,n){let[r,i]=[e.x+240,e.y+23],a=[`M${r} ${i}`];for(let o=e.column+1;o<t.column;o+=1){let t=n.get($t(e.key,o));t!==void 0&&(a.push(ln(r,i,o*316,t),`H${o*316+240}`),[r,i]=[o*316+240,t])}return a.push(ln(r,i,t.x,t.y+23)),a.join(``)}function ln(e,t,n,r){let i=Math.round((e+n)/2);return`C${i} ${un(t)} ${i} ${un(r)} ${n} ${un(r)}`}function un(e){return Math.round(e*10)/10}function dn(e,t){let n=new Map(t.edges.map(e=>[e.key,e]));return e.map(e=>n.get(e.key)??e)}var fn={good:{fill:`#e7f6ec`,line:`#1a7f45`},bad:{fill:`#fdeaea`,line:`#c0262d`},active:{fill:`#e6f0fd`,line:`#1d64c4`},attention:{fill:`#fdf3dc`,line:`#8a5a00`},faint:{fill:`#f3f4f6`,line:`#5b6472`}};function pn(e){let t=new Map(e.map((e,t)=>[e.id,`s${t}`])),n=[`flowchart LR`];for(let r of e){let{word:e,tone:i}=N(r.phase),a=`${bn(r.id)}<br/>${bn(e)}`;n.push(`  ${t.get(r.id)}["${a}"]:::${i}`)}for(let[r,i]of vn(e))n.push(`  ${t.get(r)} --> ${t.get(i)}`);for(let[e,{fill:t,line:r}]of Object.entries(fn))n.push(`  classDef ${e} fill:${t},stroke:${r},color:#111827`);return`${n.join(`
`)}\n`}function mn(e,t){let n=[`digraph ${xn(e)} {`,`  rankdir=LR;`,`  node [shape=box, style="rounded,filled", fontname="sans-serif"];`];for(let e of t){let{word:t,tone:r}=N(e.phase),{fill:i,line:a}=fn[r],o=xn(`${e.id}\n${t}`);n.push(`  ${xn(e.id)} [label=${o}, fillcolor="${i}", color="${a}"];`)}for(let[e,r]of vn(t))n.push(`  ${xn(e)} -> ${xn(r)};`);return`${n.join(`
`)}\n}\n`}function hn(e,t){let[n,r]=[t.width+48,t.height+48],i=t.edges.map(e=>`<path d="${e.path}" fill="none" stroke="#9aa3af" stroke-width="1.3"/>`);return[`<svg xmlns="http://www.w3.org/2000/svg" width="${n}" height="${r}" viewBox="-24 -24 ${n} ${r}" font-family="system-ui, sans-serif">`,`<title>${yn(e)}</title>`,`<rect x="-24" y="-24" width="100%" height="100%" fill="#ffffff"/>`,...i,...t.boxes.map(gn),`</svg>
`].join(`
`)}function gn(e){let t=e.item.stacks[0],{word:n,glyph:r,tone:i}=N(t?.phase??``),{fill:a,line:o}=fn[i],s=e.item.stacks.length,c=e.item.kind===null?t?.id??``:`${s} ${e.item.kind}`;return[`<g transform="translate(${e.x} ${e.y})">`,`<rect width="240" height="46" rx="8" fill="${a}" stroke="${o}"/>`,`<path transform="translate(10 8)" d="${gt[r]??``}" fill="none" stroke="${o}" stroke-width="1.6" stroke-linecap="round"/>`,`<text x="34" y="19" font-size="12.5" font-weight="600" fill="#111827">${yn(_n(c,28))}</text>`,`<text x="34" y="36" font-size="11" fill="${o}">${yn(e.item.kind?``:n)}</text>`,`</g>`].join(``)}function _n(e,t){let n=[...e];if(n.length<=t)return e;let r=Math.ceil((t-1)/2);return`${n.slice(0,t-1-r).join(``)}…${n.slice(-r).join(``)}`}function vn(e){let t=new Set(e.map(e=>e.id));return e.flatMap(e=>e.dependsOn.filter(e=>t.has(e)).map(t=>[t,e.id]))}function yn(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,` `).toWellFormed().replace(/[<>&"']/g,e=>`&#${e.charCodeAt(0)};`)}function bn(e){return[...e].map(e=>/[A-Za-z0-9 ._/-]/.test(e)?e:`#${e.codePointAt(0)};`).join(``)}function xn(e){return`"${e.replaceAll(`\\`,`\\\\`).replaceAll(`"`,`\\"`).replaceAll(`
`,`\\n`).replace(/[\u0000-\u001f\u007f-\u009f]/g,` `)}"`}function G(e,t,n,r){var i=arguments.length,a=i<3?t:r===null?r=Object.getOwnPropertyDescriptor(t,n):r,o;if(typeof Reflect==`object`&&typeof Reflect.decorate==`function`)a=Reflect.decorate(e,t,n,r);else for(var s=e.length-1;s>=0;s--)(o=e[s])&&(a=(i<3?o(a):i>3?o(t,n,a):o(t,n))||a);return i>3&&a&&Object.defineProperty(t,n,a),a}var Sn=12,K=class extends C{constructor(...e){super(...e),this.stack=null,this.stacks=[],this.advice=null,this.actions=[],this.now=Date.now()}static{this.styles=[wt,Tt,o`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: flex-start;
        gap: 8px;
        padding: 16px 12px 12px 20px;
        border-bottom: 1px solid var(--line);
      }
      h2 {
        flex: 1;
        min-width: 0;
        margin: 0;
        font-size: 15px;
        font-weight: 620;
        line-height: 1.35;
        overflow-wrap: anywhere;
        unicode-bidi: isolate;
      }
      .body {
        flex: 1;
        overflow-y: auto;
        padding: 16px 20px 28px;
        display: grid;
        grid-auto-rows: max-content;
        gap: 16px;
        outline-offset: -2px;
      }
      .message {
        margin: 0;
        max-height: 16em;
        overflow-y: auto;
        overflow-wrap: anywhere;
        white-space: pre-line;
        unicode-bidi: plaintext;
      }
      .do {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--tone-soft, var(--faint-soft));
      }
      .do b {
        display: block;
        margin-bottom: 2px;
        color: var(--tone);
      }
      h3 {
        margin: 0 0 6px;
        font-size: 11px;
        font-weight: 600;
        letter-spacing: 0.04em;
        text-transform: uppercase;
        color: var(--muted);
      }
      dl {
        display: grid;
        grid-template-columns: 92px minmax(0, 1fr);
        gap: 6px 12px;
        margin: 0;
      }
      dt {
        color: var(--muted);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .links {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      .names button {
        max-width: 100%;
        height: 26px;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        cursor: pointer;
        overflow: hidden;
      }
      .names button:hover {
        background: var(--hover);
      }
      code {
        font-family: var(--mono);
        font-size: 12px;
      }
    `]}render(){let e=this.stack;return e===null?b:v`<header>
        <h2 id="title">${z(e.id)}</h2>
        <button class="button icon plain" aria-label="Close" @click=${this.#s}>
          ${H(`close`)}
        </button>
      </header>
      <div class="body" tabindex="0" role="region" aria-labelledby="title">
        <div>${Et(e.phase)}</div>
        ${this.#e(e)} ${this.#t(e)} ${this.#n(e)} ${this.#r(e)}
      </div>`}#e(e){let t=this.advice,n=e.message||t?.means||``,r=t!==null&&t.do!==``&&t.do!==`Nothing.`;if(!n&&!r)return b;let i=[`Failed`,`TimedOut`,`Canceled`].includes(e.phase)?`bad`:`attention`;return v`${n?v`<p class="message">${n}</p>`:b}
    ${r?v`<div class="do ${i}"><b>What to do</b>${t.do}</div>`:b}`}#t(e){return e.runUrl||this.actions.length>0?v`<div class="links">
          ${this.actions.map(t=>v`<button class="button" @click=${()=>this.#o(t,e.id)}>${t}</button>`)}
          ${e.runUrl?v`<a class="button" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
                >Open the run in Spacelift ${H(`out`)}</a
              >`:b}
        </div>`:b}#n(e){let t=F(P(e.startTime,e.completionTime,this.now));return v`<dl>
      ${[[`Reason`,z(e.reason)],[`Name`,e.name===e.id?``:z(e.name)],[`Changes`,bt(e.delta)],[`Attempts`,e.attempts>1?String(e.attempts):``],[`Took`,e.phase===`Skipped`?``:t],[`Started`,e.startTime?`${R(e.startTime)} (${I(e.startTime,this.now)} ago)`:``],[`Ended`,R(e.completionTime)],[`Run`,e.runId?v`<code>${e.runId}</code> ${vt(e.runSource)}`:``],[`In Spacelift`,e.runState],[`Level`,String(e.level+1)]].filter(([,e])=>e!==``).map(([e,t])=>v`<dt>${e}</dt><dd>${t}</dd>`)}
    </dl>`}#r(e){let t=this.stacks.filter(t=>t.dependsOn.includes(e.id)),{upstream:n,downstream:r}=Pt(this.stacks,e.id),i=new Map(this.stacks.map(e=>[e.id,e.phase])),a=this.advice?.holds??[];return v`${a.length>0?v`<section>
            <h3>Holds up ${L(this.advice?.held??a.length,`stack`)}</h3>
            ${this.#i(a,i,this.advice?.held)}
          </section>`:b}
      <section>
        <h3>Depends on${n.size>0?` (${n.size} in all)`:``}</h3>
        ${this.#i(e.dependsOn,i)}
      </section>
      <section>
        <h3>Dependents${r.size>0?` (${r.size} in all)`:``}</h3>
        ${this.#i(t.map(e=>e.id),i)}
      </section>`}#i(e,t,n=e.length){if(e.length===0)return v`<span class="muted">None</span>`;let r=n-Sn;return v`<div class="names">
      ${e.slice(0,Sn).map(e=>v`<button ?disabled=${!t.has(e)} @click=${()=>this.#a(e)}>${B(e)}</button>`)}
      ${r>0?v`<span class="muted">and ${r} more</span>`:b}
    </div>`}#a(e){this.dispatchEvent(new CustomEvent(`stack-select`,{detail:{id:e},bubbles:!0,composed:!0}))}#o(e,t){this.dispatchEvent(new CustomEvent(`stack-action`,{detail:{action:e,id:t},bubbles:!0,composed:!0}))}#s(){this.#a(``)}};G([w({attribute:!1})],K.prototype,`stack`,void 0),G([w({attribute:!1})],K.prototype,`stacks`,void 0),G([w({attribute:!1})],K.prototype,`advice`,void 0),G([w({attribute:!1})],K.prototype,`actions`,void 0),G([w({type:Number})],K.prototype,`now`,void 0),K=G([Ge(`stackchain-drawer`)],K);var Cn=.08,q=.8,J=28;function wn(e,t,n){let r=Tn(e,t);if(r.scale>=q||n===null)return r.scale>=q?r:{x:J,y:En(e.height,t.height,q),scale:q};let i=t.height/2-(n.y+n.height/2)*q;return kn(On({x:J,y:Math.round(i),scale:q},e,t),n,t)}function Tn(e,t){let n=Math.max(Cn,Math.min(1,(t.width-56)/Math.max(1,e.width),(t.height-56)/Math.max(1,e.height)));return{x:En(e.width,t.width,n),y:En(e.height,t.height,n),scale:n}}function En(e,t,n){return Math.max(J,Math.round((t-e*n)/2))}function Dn(e,t,n){let r=Math.min(2,Math.max(Cn,e.scale*t)),i=r/e.scale;return{x:n.x-(n.x-e.x)*i,y:n.y-(n.y-e.y)*i,scale:r}}function On(e,t,n){let r=t.height*e.scale;return r+56<=n.height?{...e,y:En(t.height,n.height,e.scale)}:{...e,y:Math.min(J,Math.max(n.height-J-r,e.y))}}function kn(e,t,n){let r=(t,n,r,i)=>{let[a,o]=[t*e.scale+r,(t+n)*e.scale+r];return a<J?r+J-a:o>i-J?Math.max(r+i-J-o,r+J-a):r};return{x:r(t.x,t.width,e.x,n.width),y:r(t.y,t.height,e.y,n.height),scale:e.scale}}function An(e,t,n){let r=(t,n,r)=>Math.min(r-80,Math.max(80-n*e.scale,t));return{x:r(e.x,t.width,n.width),y:r(e.y,t.height,n.height),scale:e.scale}}var jn={finished:{word:`finished`,glyph:`check`,tone:`good`},pending:{word:`pending`,glyph:`dot`,tone:`faint`},skipped:{word:`skipped`,glyph:`dash`,tone:`faint`}},Mn={width:168,height:104},Y=class extends C{constructor(...e){super(...e),this.chain=null,this.advice={},this.selected=``,this.query=``,this.drawer=``,this.isFolded=null,this.opened=new Set,this.view=null,this.room={width:0,height:0},this.now=Date.now(),this.focusKey=``,this.announcement=``,this.parsed=Ye(null),this.layout=null,this.drag=null,this.hasMoved=!1,this.dragged=!1,this.pointers=new Map,this.ticking=0,this.resizing=new ResizeObserver(()=>this.measure()),this.wheel=e=>{if(!this.view)return;e.preventDefault();let t=this.canvas.getBoundingClientRect();if(e.ctrlKey||e.metaKey){let n={x:e.clientX-t.x,y:e.clientY-t.y};this.go(Dn(this.view,Math.exp(-e.deltaY/240),n))}else{let[t,n]=e.shiftKey?[e.deltaY,0]:[e.deltaX,e.deltaY];this.go({...this.view,x:this.view.x-t,y:this.view.y-n})}}}static{this.styles=[wt,Tt,Pn()]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>{this.parsed.stacks.some(e=>e.startTime&&!yt(e.phase))&&(this.now=Date.now())},1e3)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.ticking),this.resizing.disconnect()}firstUpdated(){this.resizing.observe(this.canvas),this.canvas.addEventListener(`wheel`,this.wheel,{passive:!1}),this.measure()}willUpdate(e){if(e.has(`chain`)){let e=this.parsed;this.parsed=Ye(this.chain),this.now=Date.now(),(e.name!==this.parsed.name||e.namespace!==this.parsed.namespace)&&this.reset(),this.announce(e)}let{stacks:t}=this.parsed;if(e.has(`chain`)||e.has(`isFolded`)||e.has(`opened`)){let e=this.layout?.structure;this.layout=qt(t,{isFolded:this.folded,opened:this.opened},this.layout),e!==void 0&&e!==this.layout.structure&&!this.hasMoved&&(this.view=null)}this.view===null&&this.room.width>0&&this.layout&&this.layout.boxes.length>0&&(this.view=wn(this.layout,this.room,this.first()))}updated(e){if(e.has(`selected`)&&this.selected){let e=this.keyOf(this.selected);this.focusKey=e,this.show(e)}}get folded(){return this.isFolded??this.parsed.stacks.length>60}reset(){this.layout=null,this.view=null,this.isFolded=null,this.opened=new Set,this.hasMoved=!1,this.focusKey=``}measure(){let{clientWidth:e,clientHeight:t}=this.canvas;if(e===this.room.width&&t===this.room.height)return;let n=e<this.room.width;this.room={width:e,height:t},this.hasMoved?n&&this.selected&&this.show(this.keyOf(this.selected)):this.view=null}first(){let e=this.keyOf(this.selected),t=this.layout?.boxes.find(t=>t.key===e);if(t)return Nn(t);let n=[...this.layout?.boxes??[]].filter(e=>e.item.kind===null).map(e=>({box:e,rank:N(e.item.stacks[0]?.phase??``).rank})).filter(({rank:e})=>e<6).sort((e,t)=>e.rank-t.rank||e.box.x-t.box.x||e.box.y-t.box.y);return n[0]?Nn(n[0].box):null}announce(e){let t=new Map(e.stacks.map(e=>[e.id,e.phase])),n=this.parsed.stacks.filter(e=>t.has(e.id)&&t.get(e.id)!==e.phase),r=n.slice(0,3).map(e=>`${e.id}: ${N(e.phase).word}`),i=n.length-r.length;r.length>0&&(this.announcement=r.join(`, `)+(i>0?`, and ${i} more`:``))}render(){let{stacks:e}=this.parsed,t=e.find(e=>e.id===this.selected)??null;return v`<div class="bar">${this.renderBar()}</div>
      <div class="main">
        <div
          class="canvas"
          role="group"
          aria-label=${this.label()}
          @pointerdown=${this.press}
          @pointermove=${this.move}
          @pointerup=${this.release}
          @pointercancel=${this.release}
          @pointerleave=${this.release}
          @keydown=${this.key}
        >
          ${this.layout&&this.view?this.renderGraph(this.layout,this.view):b}
          ${e.length===0?this.renderEmpty():b}
          ${this.renderMap()}
        </div>
        ${t&&this.drawer!==`none`?v`<stackchain-drawer
              .stack=${t}
              .stacks=${e}
              .advice=${A(this.advice,t.id)??null}
              .now=${this.now}
              @stack-select=${e=>this.selected=e.detail.id}
            ></stackchain-drawer>`:b}
      </div>
      <div class="unseen" role="status">${this.announcement}</div>`}label(){let{name:e,stacks:t}=this.parsed,n=new Set(t.map(e=>e.level)).size;return`Graph of ${e}: ${L(t.length,`stack`)} in ${L(n,`level`)}. Arrow keys move along dependencies.`}renderEmpty(){return v`<p class="empty">${St(this.parsed)}</p>`}renderBar(){let e=this.query?this.foundKeys().length:0;return v`<label class="search">
        ${H(`search`)}
        <input
          class="field"
          type="search"
          placeholder="Find a stack"
          aria-label="Find a stack"
          aria-keyshortcuts="/"
          .value=${this.query}
          @input=${this.type}
          @keydown=${this.searchKey}
        />
        <kbd ?hidden=${this.query!==``}>/</kbd>
        <span class="found" ?hidden=${this.query===``}>${e}</span>
      </label>
      ${this.renderFolding()}
      <span class="space"></span>
      <div class="set" role="group" aria-label="Zoom">
        <button class="button icon" aria-label="Zoom out" @click=${()=>this.zoomBy(1/1.3)}>${H(`minus`)}</button>
        <button class="button icon" aria-label="Zoom in" @click=${()=>this.zoomBy(1.3)}>${H(`plus`)}</button>
        <button class="button icon" aria-label="Show all" title="Show all (0)" @click=${this.fit}>${H(`fit`)}</button>
      </div>
      <div class="set" role="group" aria-label="Export">
        <span class="muted set-name">Export</span>
        ${[`SVG`,`Mermaid`,`DOT`].map(e=>v`<button class="button" @click=${()=>this.export(e)}>${e}</button>`)}
      </div>`}renderFolding(){let{stacks:e}=this.parsed;if(e.filter(e=>jt(e)!==null).length<2)return b;let t=this.layout?.boxes.filter(e=>e.item.kind===null).length??0,n=this.isFolded===null&&this.folded?`Folded to what is not fine: ${t} of ${L(e.length,`stack`)} shown`:this.folded?`${t} of ${L(e.length,`stack`)} shown`:``;return v`<button class="button" aria-pressed=${this.folded?`true`:`false`} @click=${this.toggleFold}>
        ${H(`fold`)} Fold
      </button>
      <span class="muted note">${n}</span>`}renderGraph(e,t){let n=this.lit(),r=`translate(${t.x}px, ${t.y}px) scale(${t.scale})`,i=e.boxes.some(e=>e.key===this.focusKey)?this.focusKey:this.inOrder(e)[0]?.key??``;return v`<div class="plane ${n?`has-lit`:``} ${t.scale<.45?`far`:``}"
      ${U({transform:r})}>
      <svg class="edges" width=${e.width} height=${e.height} aria-hidden="true">
        ${mt(e.edges,e=>e.key,e=>this.renderEdge(e,n))}
      </svg>
      ${mt(e.boxes,e=>e.key,e=>this.renderBox(e,n,e.key===i))}
    </div>`}renderEdge(e,t){return Oe`<path class=${t!==null&&!this.query&&t.has(e.from)&&t.has(e.to)?`lit`:``} d=${e.path}></path>`}renderBox(e,t,n){let{item:r}=e,i=r.stacks[0];if(!i)return v``;let a=t?.get(e.key)??``,o={transform:`translate(${e.x}px, ${e.y}px)`},s=n?`0`:`-1`,c=`box ${a} ${t&&!a?`dim`:``}`;if(r.kind!==null){let n=jn[r.kind],i=r.stacks.length;return v`<button class="${c} group ${n.tone}" data-key=${e.key} tabindex=${s}
        @click=${()=>this.open(e.key)} ${U(o)}>
        ${V(n.glyph)}
        <span class="lines"
          ><span class="title"
            >${i} ${n.word}<span class="unseen"> stacks of level ${r.level+1}.</span></span
          ><span class="more">${this.related(e,t)||`Show them`}</span></span
        >
      </button>`}let l=N(i.phase);return v`<button class="${c} ${l.tone} ${i.phase===`Running`?`running`:``}" data-key=${e.key}
      tabindex=${s} aria-pressed=${i.id===this.selected?`true`:`false`}
      @click=${()=>this.select(i.id)} ${U(o)}>
      ${V(l.glyph)}
      <span class="lines"
        ><span class="title">${B(i.id)}</span
        ><span class="more"
          ><b>${l.word}</b>${this.detail(i)}<span class="unseen">${this.describe(i)}</span></span
        ></span
      >
    </button>`}related(e,t){if(t===null||!this.selected||this.query)return``;let{upstream:n,downstream:r}=Pt(this.parsed.stacks,this.selected),i=e.item.stacks.map(e=>e.id),[a,o]=[n,r].map(e=>i.filter(t=>e.has(t)).length);return[a?`${a} upstream`:``,o?`${o} downstream`:``].filter(Boolean).join(`, `)}detail(e){let t=e.phase!==`Skipped`&&e.phase!==`Pending`?F(P(e.startTime,e.completionTime,this.now)):``,n=bt(e.delta);return[t,e.attempts>1?`attempt ${e.attempts}`:``,n,e.reason===`OutputUnchanged`?`inputs unchanged`:``].filter(Boolean).map(e=>` · ${e}`).join(``)}describe(e){let t=e.dependsOn.length,n=t>0?`, depends on ${t>3?L(t,`stack`):e.dependsOn.join(`, `)}`:``;return`, level ${e.level+1}${n}`}renderMap(){let{layout:e,view:t,room:n}=this;if(!e||!t||e.boxes.length===0)return b;let[r,i]=[e.width*t.scale,e.height*t.scale];if(t.x>=0&&t.y>=0&&t.x+r<=n.width&&t.y+i<=n.height)return b;let a=Math.min(Mn.width/e.width,Mn.height/e.height),o=1.5/a;return v`<svg class="map" aria-hidden="true" @pointerdown=${this.mapPress}
      viewBox="0 0 ${e.width} ${e.height}"
      width=${Math.max(24,e.width*a)} height=${Math.max(24,e.height*a)}>
      ${e.boxes.map(e=>Oe`<rect class=${e.item.kind?jn[e.item.kind].tone:N(e.item.stacks[0]?.phase??``).tone} x=${e.x} y=${e.y} width=${240} height=${Math.max(46,o)}></rect>`)}
      ${Oe`<rect class="window" x=${-t.x/t.scale} y=${-t.y/t.scale}
        width=${n.width/t.scale} height=${n.height/t.scale} vector-effect="non-scaling-stroke"></rect>`}
    </svg>`}lit(){if(this.query)return new Map(this.foundKeys().map(e=>[e,`found`]));if(!this.selected||!this.parsed.stacks.some(e=>e.id===this.selected))return null;let{upstream:e,downstream:t}=Pt(this.parsed.stacks,this.selected),n=new Map;for(let r of this.layout?.boxes??[])for(let{id:i}of r.item.stacks)i===this.selected?n.set(r.key,`selected`):!n.has(r.key)&&(e.has(i)||t.has(i))&&n.set(r.key,e.has(i)?`upstream`:`downstream`);return n}foundKeys(){return(this.layout?.boxes??[]).filter(e=>e.item.stacks.some(e=>xt(this.query,e.id,e.name))).map(e=>e.key)}keyOf(e){return this.layout?.boxes.find(t=>t.item.stacks.some(t=>t.id===e))?.key??``}inOrder(e){return[...e.boxes].sort((e,t)=>e.x-t.x||e.y-t.y)}select(e){this.dragged||(this.selected=this.selected===e?``:e,this.emit(`stack-select`,{id:this.selected}))}async open(e){if(this.dragged)return;let t=new Set(this.layout?.boxes.find(t=>t.key===e)?.item.stacks.map(e=>e.id));this.opened=new Set([...this.opened,e]),await this.updateComplete;let n=(this.layout?.boxes??[]).filter(e=>t.has(e.key)).sort((e,t)=>e.y-t.y);await this.focusBox(n[0]?.key??``)}toggleFold(){this.isFolded=!this.folded,this.opened=new Set,this.hasMoved=!1,this.view=null}fit(){this.layout&&(this.view=Tn(this.layout,this.room),this.hasMoved=!0)}zoomBy(e){if(this.view){let t={x:this.room.width/2,y:this.room.height/2};this.go(Dn(this.view,e,t))}}go(e){this.layout&&(this.hasMoved=!0,this.view=An(e,this.layout,this.room))}show(e){let t=this.layout?.boxes.find(t=>t.key===e);if(t&&this.view){let e=kn(this.view,Nn(t),this.room);(e.x!==this.view.x||e.y!==this.view.y)&&this.go(e)}}async focusBox(e){this.focusKey=e,this.show(e),await this.updateComplete,[...this.renderRoot.querySelectorAll(`.box`)].find(t=>t.dataset.key===e)?.focus({preventScroll:!0})}press(e){e.button===0&&this.view&&(this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY}),this.drag={x:e.clientX,y:e.clientY,view:this.view},this.dragged=!1)}move(e){let t=this.pointers.get(e.pointerId);if(!t||!this.drag||!this.view)return;let n=[...this.pointers].filter(([t])=>t!==e.pointerId).map(([,e])=>e)[0];if(n){let r=e=>Math.hypot(e.x-n.x,e.y-n.y),i=this.canvas.getBoundingClientRect(),a={x:(e.clientX+n.x)/2-i.x,y:(e.clientY+n.y)/2-i.y},o={x:e.clientX,y:e.clientY};this.go(Dn(this.view,r(o)/Math.max(1,r(t)),a)),this.dragged=!0,this.drag={...o,view:this.view}}else{let[t,n]=[e.clientX-this.drag.x,e.clientY-this.drag.y];(this.dragged||Math.hypot(t,n)>4)&&(this.dragged||this.canvas.setPointerCapture(e.pointerId),this.dragged=!0,this.go({...this.drag.view,x:this.drag.view.x+t,y:this.drag.view.y+n}))}this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY})}release(e){if(!this.pointers.delete(e.pointerId)||(this.drag=null,this.pointers.size>0))return;window.setTimeout(()=>this.dragged=!1);let t=e.target.closest(`.box`)!==null;e.type===`pointerup`&&!this.dragged&&!t&&this.selected&&this.select(this.selected)}mapPress(e){e.stopPropagation();let t=e.currentTarget.getBoundingClientRect(),{layout:n,view:r,room:i}=this;if(n&&r){let a=(e.clientX-t.x)/t.width*n.width,o=(e.clientY-t.y)/t.height*n.height;this.go({...r,x:i.width/2-a*r.scale,y:i.height/2-o*r.scale})}}focusSearch(){this.input.focus(),this.input.select()}type(){this.query=this.input.value,this.emit(`query-change`,{query:this.query})}searchKey(e){e.stopPropagation();let t=this.layout;if(e.key===`Escape`)this.query?(this.input.value=``,this.type()):this.input.blur();else if((e.key===`Enter`||e.key===`ArrowDown`)&&t){e.preventDefault();let n=new Set(this.foundKeys()),r=this.inOrder(t).find(e=>n.has(e.key)||!this.query);r&&this.focusBox(r.key)}}key(e){if(e.ctrlKey||e.metaKey||e.altKey||!this.layout)return;let t=this.inOrder(this.layout),n=t.findIndex(e=>e.key===this.focusKey),r=t[n]??t[0],i=r&&this.target(e.key,t,r,Math.max(0,n));if(i)e.preventDefault(),this.focusBox(i.key);else{switch(e.key){case`/`:e.preventDefault(),this.focusSearch();break;case`Escape`:if(!this.selected)return;this.select(this.selected);break;case`+`:case`=`:this.zoomBy(1.3);break;case`-`:this.zoomBy(1/1.3);break;case`0`:this.fit();break;default:return}e.stopPropagation()}}target(e,t,n,r){let i=e=>t.filter(t=>e.includes(t.key)).sort((e,t)=>Math.abs(e.y-n.y)-Math.abs(t.y-n.y))[0],a=this.layout?.edges??[],o=t.filter(e=>e.column===n.column),s=o.indexOf(n);switch(e){case`ArrowRight`:return i(a.filter(e=>e.from===n.key).map(e=>e.to));case`ArrowLeft`:return i(a.filter(e=>e.to===n.key).map(e=>e.from));case`ArrowDown`:return o[s+1];case`ArrowUp`:return o[s-1];case`j`:return t[r+1];case`k`:return t[r-1];case`Home`:return t[0];case`End`:return t.at(-1);default:return}}export(e){let{name:t,stacks:n}=this.parsed,[r,i,a]=e===`SVG`?[this.layout?hn(t,this.layout):``,`image/svg+xml`,`svg`]:e===`DOT`?[mn(t,n),`text/vnd.graphviz`,`dot`]:[pn(n),`text/plain`,`mmd`],o=document.createElement(`a`);o.href=URL.createObjectURL(new Blob([r],{type:i})),o.download=`${t||`chain`}.${a}`,o.click(),window.setTimeout(()=>URL.revokeObjectURL(o.href),1e4)}emit(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0}))}};G([w({attribute:!1})],Y.prototype,`chain`,void 0),G([w({attribute:!1})],Y.prototype,`advice`,void 0),G([w()],Y.prototype,`selected`,void 0),G([w()],Y.prototype,`query`,void 0),G([w()],Y.prototype,`drawer`,void 0),G([T()],Y.prototype,`isFolded`,void 0),G([T()],Y.prototype,`opened`,void 0),G([T()],Y.prototype,`view`,void 0),G([T()],Y.prototype,`room`,void 0),G([T()],Y.prototype,`now`,void 0),G([T()],Y.prototype,`focusKey`,void 0),G([T()],Y.prototype,`announcement`,void 0),G([E(`.canvas`)],Y.prototype,`canvas`,void 0),G([E(`input`)],Y.prototype,`input`,void 0),Y=G([Ge(`stackchain-graph`)],Y);function Nn(e){return{x:e.x,y:e.y,width:240,height:46}}function Pn(){return o`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 320px;
      background: var(--canvas);
      position: relative;
    }
    .bar {
      display: flex;
      align-items: center;
      flex-wrap: wrap;
      gap: 8px;
      padding: 8px 16px;
      border-bottom: 1px solid var(--line);
      background: var(--surface);
    }
    .search {
      position: relative;
      display: flex;
      align-items: center;
    }
    .search svg {
      position: absolute;
      left: 9px;
      color: var(--muted);
      pointer-events: none;
    }
    .search input {
      width: 220px;
      padding: 0 34px 0 30px;
      background: var(--canvas);
    }
    .search input::-webkit-search-cancel-button {
      display: none;
    }
    kbd,
    .found {
      position: absolute;
      right: 8px;
      min-width: 18px;
      padding: 0 5px;
      border: 1px solid var(--line);
      border-radius: 4px;
      background: var(--surface);
      color: var(--muted);
      font: 11px/16px var(--mono);
      text-align: center;
      pointer-events: none;
    }
    .space {
      flex: 1;
    }
    .note {
      font-size: 12px;
    }
    .set {
      display: flex;
      align-items: center;
    }
    .set-name {
      margin: 0 8px 0 6px;
      font-size: 12px;
    }
    .set .button {
      border-radius: 0;
      margin-left: -1px;
    }
    .set .button:first-of-type {
      border-radius: 6px 0 0 6px;
    }
    .set .button:last-of-type {
      border-radius: 0 6px 6px 0;
    }
    .main {
      flex: 1;
      display: flex;
      min-height: 0;
    }
    .canvas {
      flex: 1;
      min-width: 0;
      position: relative;
      overflow: hidden;
      touch-action: none;
      cursor: grab;
      background-image: radial-gradient(circle, var(--line) 1px, transparent 1px);
      background-size: 24px 24px;
      background-position: 12px 12px;
    }
    .canvas:active {
      cursor: grabbing;
    }
    stackchain-drawer {
      width: 380px;
      border-left: 1px solid var(--line);
    }
    .plane {
      position: absolute;
      top: 0;
      left: 0;
      transform-origin: 0 0;
    }
    .edges {
      position: absolute;
      overflow: visible;
      pointer-events: none;
    }
    .edges path {
      fill: none;
      stroke: var(--edge);
      stroke-width: 1.4;
    }
    .has-lit .edges path {
      opacity: 0.3;
    }
    .has-lit .edges path.lit {
      stroke: var(--accent);
      stroke-width: 2;
      opacity: 1;
    }
    .box {
      position: absolute;
      top: 0;
      left: 0;
      display: flex;
      align-items: center;
      gap: 9px;
      width: ${240}px;
      height: ${46}px;
      padding: 0 12px 0 11px;
      border: 1px solid var(--line-strong);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow);
      text-align: left;
      cursor: pointer;
      user-select: none;
    }
    .box:hover {
      border-color: var(--tone);
    }
    .box.bad,
    .box.attention,
    .box.active {
      border-color: var(--tone);
    }
    .box.bad {
      background: var(--bad-soft);
    }
    .box.attention {
      background: var(--attention-soft);
    }
    .box.bad .glyph,
    .box.attention .glyph {
      background: var(--surface);
    }
    .box.faint .title {
      color: var(--muted);
    }
    .box.group {
      border-style: dashed;
      box-shadow:
        3px 3px 0 -1px var(--surface),
        3px 3px 0 0 var(--line-strong);
    }
    .box.dim {
      opacity: 0.32;
    }
    .box.selected {
      box-shadow: 0 0 0 2px var(--accent);
      border-color: var(--accent);
    }
    .box.upstream,
    .box.downstream,
    .box.found {
      box-shadow: 0 0 0 1.5px var(--accent);
    }
    .box:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 3px;
    }
    .lines {
      display: flex;
      flex-direction: column;
      flex: 1;
      min-width: 0;
      line-height: 1.3;
    }
    .title {
      display: flex;
      font-weight: 580;
      min-width: 0;
    }
    .more {
      position: relative;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
      font-size: 11.5px;
      color: var(--muted);
    }
    .more b {
      font-weight: 550;
      color: var(--tone);
    }
    .running .glyph {
      animation: pulse 1.8s ease-in-out infinite;
    }
    @keyframes pulse {
      50% {
        box-shadow: 0 0 0 4px color-mix(in srgb, var(--tone) 22%, transparent);
      }
    }
    .far .more {
      visibility: hidden;
    }
    .map {
      position: absolute;
      right: 14px;
      bottom: 14px;
      padding: 6px;
      box-sizing: content-box;
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow-high);
      cursor: pointer;
    }
    .map rect {
      fill: var(--tone);
      opacity: 0.75;
    }
    .map rect.faint {
      opacity: 0.35;
    }
    .map .window {
      fill: var(--accent);
      fill-opacity: 0.1;
      stroke: var(--accent);
      stroke-width: 1.5;
      opacity: 1;
    }
    .empty {
      position: absolute;
      inset: 0;
      display: grid;
      place-content: center;
      margin: 0;
      color: var(--muted);
    }
    @media (max-width: 900px) {
      stackchain-drawer {
        position: absolute;
        inset: 0 0 0 auto;
        width: min(380px, 100%);
        z-index: 2;
        box-shadow: var(--shadow-high);
      }
      .set-name {
        display: none;
      }
    }
  `}var Fn=`stackchain-key`,In=/^#key=([\w-]+)$/,Ln=``;function Rn(){let e=In.exec(location.hash)?.[1];try{e&&localStorage.setItem(Fn,e),Ln=e??localStorage.getItem(Fn)??``}catch{Ln=e??``}e&&history.replaceState(null,``,`${location.pathname}${location.search}`)}function zn(e){return`api/stream?${new URLSearchParams(Ln?{...e,key:Ln}:e).toString()}`}async function Bn(e,t={}){return Un(fetch(`api/${e}?${new URLSearchParams(t).toString()}`,{headers:Hn()}))}async function Vn(e,t){return Un(fetch(`api/${e}`,{method:`POST`,headers:{...Hn(),"Content-Type":`application/json`},body:JSON.stringify(t)}))}function Hn(){return Ln?{"X-StackChain-Key":Ln}:{}}async function Un(e){let t=await e.catch(()=>null),n=D(t?await t.json().catch(()=>null):null),r=t?.ok??!1,i=r?``:k(n.error)||`The server of this page does not answer as it should.`;return{status:t?.status??0,isGood:r,body:n,error:i}}var Wn=500,Gn={Run:`Run all stacks`,Retry:`Retry`,Bypass:`Bypass`,Approve:`Approve`,Cancel:`Cancel the run`,Suspend:`Suspend`,Resume:`Resume`,Parallelism:`Parallelism`},X=class extends C{constructor(...e){super(...e),this.action=null,this.shown=null,this.problem=``,this.typed=``,this.bound=0,this.isSending=!1,this.#n=async e=>{e.preventDefault();let{action:t,shown:n}=this;if(t===null||n===null||this.isSending)return;this.isSending=!0,this.problem=``;let r=t.action===`Parallelism`?{parallelism:this.bound}:{},i=await Vn(`ask`,{...t,...r,run:n.run,confirmation:this.typed});if(this.isSending=!1,!i.isGood){this.problem=i.error;return}let a=O(i.body.messages).map(k);this.dispatchEvent(new CustomEvent(`asked`,{detail:{messages:a},bubbles:!0,composed:!0})),this.close()},this.close=()=>{this.dialog.close()},this.#r=()=>{this.action=null}}static{this.styles=[wt,Tt,o`
      dialog {
        width: min(560px, calc(100vw - 24px));
        max-height: calc(100dvh - 24px);
        padding: 0;
        border: 1px solid var(--line-strong);
        border-radius: 12px;
        background: var(--surface);
        color: var(--text);
        box-shadow: var(--shadow-high);
      }
      dialog::backdrop {
        background: rgb(10 14 20 / 45%);
      }
      form {
        display: grid;
        gap: 14px;
        padding: 20px 22px;
      }
      h2 {
        margin: 0;
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      h3 {
        margin: 0 0 6px;
        font-size: 12px;
        font-weight: 600;
        color: var(--muted);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
        unicode-bidi: plaintext;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 14px;
        max-height: 168px;
        margin: 0;
        padding: 8px 10px;
        overflow-y: auto;
        list-style: none;
        border: 1px solid var(--line);
        border-radius: 6px;
      }
      li {
        max-width: 100%;
      }
      .warning {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--bad-soft);
        color: var(--bad);
      }
      label {
        display: grid;
        gap: 4px;
      }
      code {
        font-family: var(--mono);
        font-size: 12px;
        overflow-wrap: anywhere;
      }
      .end {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
      .do {
        border-color: transparent;
        background: var(--accent);
        color: var(--surface);
      }
      .do:hover {
        background: var(--accent);
      }
      .do.bad {
        background: var(--bad);
      }
      .do:disabled {
        background: var(--faint-soft);
        color: var(--muted);
        cursor: not-allowed;
      }
    `]}get isOpen(){return this.action!==null}async open(e){this.action=e,this.shown=null,this.problem=``,this.typed=``,this.bound=e.parallelism??0,this.isSending=!1,await this.updateComplete,this.dialog.showModal();let t=await Vn(`preview`,e);this.action===e&&(this.problem=t.error,this.shown=t.isGood?qn(t):null,await this.updateComplete,this.renderRoot.querySelector(`[autofocus]`)?.focus())}render(){let e=this.action;return e===null?b:v`<dialog aria-labelledby="title" @close=${this.#r}>
          <form @submit=${this.#n}>
            <h2 id="title">${Kn(e)}</h2>
            ${this.problem?v`<p class="warning" role="alert">${this.problem}</p>`:b}
            ${this.shown?this.#e(e,this.shown):this.problem?b:v`<p>Reading the chain…</p>`}
            <div class="end">
              <button class="button" type="button" @click=${this.close}>Close</button>
              ${this.shown?this.#t(e,this.shown):b}
            </div>
          </form>
        </dialog>`}#e(e,t){let n=e.action===`Parallelism`;return v`<p>${t.means}</p>
      ${n?b:t.messages.map(e=>v`<p>${e}</p>`)}
      ${n?v`<label
            >Stacks that may run at once
            <input class="field" type="number" name="parallelism" min="1" max=${Wn} required autofocus
              .value=${String(this.bound)}
              @input=${e=>this.bound=e.target.valueAsNumber||0} />
          </label>`:b}
      ${t.lists.map(({title:e,stacks:t})=>v`<section>
          <h3>${e} (${L(t.length,`stack`)})</h3>
          <ul tabindex="0" aria-label=${e}>
            ${t.map(e=>v`<li>${B(e)}</li>`)}
          </ul>
        </section>`)}
      ${t.destroys?v`<div class="warning">
              This chain's operation is Destroy: its runs destroy what the stacks manage.
            </div>
            <label
              >Type the name of the chain, ${e.name}, to confirm that
              <input class="field" name="confirmation" autocomplete="off" spellcheck="false" autofocus
                .value=${this.typed}
                @input=${e=>this.typed=e.target.value} />
            </label>`:b}
      ${n?b:v`<p class="muted">In a terminal: <code>${t.command}</code></p>`}`}#t(e,t){let n=e.action===`Parallelism`?this.bound>=1&&this.bound<=Wn:t.changes&&(!t.destroys||this.typed===e.name);return v`<button class="button do ${t.dangerous?`bad`:``}" type="submit"
      ?disabled=${!n||this.isSending} ?autofocus=${!t.destroys}>
      ${Gn[e.action]??e.action}
    </button>`}#n;#r};G([w({attribute:!1})],X.prototype,`action`,void 0),G([T()],X.prototype,`shown`,void 0),G([T()],X.prototype,`problem`,void 0),G([T()],X.prototype,`typed`,void 0),G([T()],X.prototype,`bound`,void 0),G([T()],X.prototype,`isSending`,void 0),G([E(`dialog`)],X.prototype,`dialog`,void 0),X=G([Ge(`action-dialog`)],X);function Kn(e){let t=e.stacks?.map(z).join(`, `)||e.stage||``,n=Gn[e.action]??e.action;return t?`${n} ${t} of ${e.name}`:`${n}: ${e.name}`}function qn({body:e}){return{means:k(e.means),messages:O(e.messages).map(k),lists:O(e.lists).map(e=>{let t=D(e);return{title:k(t.title),stacks:O(t.stacks).map(k)}}),changes:e.changes===!0,dangerous:e.dangerous===!0,destroys:e.destroys===!0,run:j(e.run,0),command:k(e.command)}}var Jn={failed:{word:`Failed`,glyph:`cross`,tone:`bad`},person:{word:`Waits for a person`,glyph:`person`,tone:`attention`},blocked:{word:`Blocked`,glyph:`hourglass`,tone:`attention`},unreadable:{word:`Unreadable`,glyph:`question`,tone:`attention`},running:{word:`Running`,glyph:`play`,tone:`active`},suspended:{word:`Suspended`,glyph:`stop`,tone:`faint`},scheduled:{word:`Scheduled`,glyph:`clock`,tone:`faint`},idle:{word:`Not requested`,glyph:`dot`,tone:`faint`},fine:{word:`Succeeded`,glyph:`check`,tone:`good`}},Yn=Object.keys(Jn);function Xn(e){return`${e.namespace}/${e.name}`}function Zn(e){let t=e=>{let t=Yn.indexOf(e.state);return t<0?Yn.length:t};return[...e].sort((e,n)=>t(e)-t(n)||W(e.name,n.name)||W(e.namespace,n.namespace))}function Qn(e,t){let n=D(e.resource.status),r=new Map(t.stacks.map(e=>[k(e.id),e])),i=new Set(t.removed),a=O(n.stacks).map(e=>[k(D(e).id),e]).filter(([e])=>!i.has(e)).map(([e,t])=>{let n=r.get(e)??t;return r.delete(e),n}),o=t.detail.resource,s={...e.advice,...t.advice};return{...t.detail,resource:{...o,status:{...D(o.status),stacks:[...a,...r.values()]}},advice:Object.fromEntries(Object.entries(s).filter(e=>e[1]!==null))}}var $n=2e3,er=class{constructor(e){this.changed=e,this.rows=new Map,this.detail=null,this.isMissing=!1,this.problem=``,this.hello=null,this.hasRows=!1,this.link=`connecting`,this.refusal=``,this.opened=0,this.source=null,this.target=``,this.timer=0}follow(e,t){let n=zn(t?{namespace:e,name:t}:{});this.source&&n===this.target||(this.target=n,this.detail=null,this.isMissing=!1,this.connect())}resume(){!this.source&&this.link!==`refused`&&this.connect()}close(){window.clearTimeout(this.timer),this.source?.close(),this.source=null}connect(){if(this.close(),document.hidden)return;let e=new EventSource(this.target);this.source=e;let t=(t,n)=>{e.addEventListener(t,e=>{n(JSON.parse(e.data)),this.link=`live`,this.changed()})};t(`hello`,e=>{this.hello=e,this.opened+=1,this.problem=``}),t(`chains`,e=>{this.rows.clear(),e.forEach(e=>this.rows.set(Xn(e),e)),this.hasRows=!0}),t(`chain`,e=>this.rows.set(Xn(e),e)),t(`gone`,e=>this.rows.delete(Xn(e))),t(`detail`,e=>{this.detail=e,this.isMissing=!1}),t(`change`,e=>{this.detail=this.detail&&Qn(this.detail,e)}),t(`missing`,()=>this.isMissing=!0),t(`problem`,e=>this.problem=e.text),e.addEventListener(`error`,()=>void this.failed(e))}async failed(e){if(e!==this.source)return;this.link=`lost`,this.changed(),e.close();let t=await Bn(`session`);e===this.source&&(t.status===401||t.status===403?(this.link=`refused`,this.refusal=t.error,this.changed()):this.timer=window.setTimeout(()=>this.connect(),$n))}},tr=[`graph`,`table`,`timeline`,`events`,`runs`],nr={namespace:``,chain:``,view:`graph`,query:``,only:[],sort:``,stack:``,run:``};function rr(e){let t=new URLSearchParams(e),n=t.get(`view`);return{namespace:t.get(`namespace`)??``,chain:t.get(`chain`)??``,view:tr.find(e=>e===n)??`graph`,query:t.get(`q`)??``,only:(t.get(`only`)??``).split(`,`).filter(Boolean),sort:t.get(`sort`)??``,stack:t.get(`stack`)??``,run:t.get(`run`)??``}}function ir(e){let t=new URLSearchParams,n=[[`namespace`,e.namespace,``],[`chain`,e.chain,``],[`view`,e.view,`graph`],[`q`,e.query,``],[`only`,e.only.join(`,`),``],[`sort`,e.sort,``],[`stack`,e.stack,``],[`run`,e.run,``]];for(let[e,r,i]of n)r!==i&&t.set(e,r);let r=t.toString();return r?`?${r}`:`?`}function ar(e,t){return e===t?`-${t}`:e===`-${t}`?``:t}var or=200,sr=[[`succeeded`,`good`],[`running`,`active`],[`awaitingConfirmation`,`attention`],[`waiting`,`attention`],[`failed`,`bad`],[`timedOut`,`bad`],[`canceled`,`bad`],[`skipped`,`faint`]];function cr(e,t){let n=e.total||0;return v`<span class="shares" role="img" aria-label=${t}>
    ${n>0?sr.filter(([t])=>e[t]).map(([t,r])=>v`<i class=${r} ${U({width:`${(e[t]??0)/n*100}%`})}></i>`):b}
  </span>`}var lr=o`
  .shares {
    display: flex;
    gap: 1px;
    height: 6px;
    width: 100%;
    border-radius: 3px;
    overflow: hidden;
    background: var(--faint-soft);
    box-shadow: inset 0 0 0 1px var(--line);
  }
  .shares i {
    background: var(--tone);
    min-width: 3px;
    transition: width 0.3s;
  }
  .shares i.faint {
    opacity: 0.4;
  }
`,Z=class extends C{constructor(...e){super(...e),this.rows=[],this.route=nr,this.isLoaded=!1,this.scope=``,this.now=Date.now(),this.most=or}static{this.styles=[wt,Tt,lr,o`
      :host {
        display: block;
        overflow-y: auto;
        background: var(--canvas);
      }
      .inside {
        max-width: 1320px;
        margin: 0 auto;
        padding: 20px 24px 48px;
      }
      h1 {
        margin: 0 0 14px;
        font-size: 18px;
        font-weight: 640;
        letter-spacing: -0.01em;
      }
      h1 span {
        margin-left: 6px;
        font-weight: 400;
        color: var(--muted);
      }
      .filters {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-bottom: 14px;
      }
      .filters .field {
        width: 260px;
      }
      .chip {
        gap: 6px;
      }
      .chip .glyph {
        width: 18px;
        height: 18px;
      }
      .chip b {
        font-weight: 600;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--surface);
        box-shadow: var(--shadow);
        overflow: hidden;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .chain {
        display: grid;
        grid-template-columns: 24px minmax(150px, 1.1fr) minmax(0, 2.6fr) 132px 92px 128px;
        align-items: center;
        gap: 4px 16px;
        padding: 11px 18px;
        color: inherit;
        text-decoration: none;
      }
      .chain:hover {
        background: var(--hover);
        text-decoration: none;
      }
      .chain:focus-visible {
        outline-offset: -3px;
      }
      .name {
        min-width: 0;
      }
      .name .id {
        font-weight: 600;
        display: flex;
      }
      .name .muted,
      .small {
        font-size: 12px;
      }
      .what {
        min-width: 0;
      }
      .what b {
        color: var(--tone);
        font-weight: 580;
      }
      .text {
        display: block;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 12px;
        color: var(--muted);
        unicode-bidi: plaintext;
        text-align: left;
      }
      .progress {
        display: grid;
        gap: 5px;
      }
      .right {
        text-align: right;
      }
      .empty {
        padding: 56px 24px;
        text-align: center;
        color: var(--muted);
      }
      .empty code {
        font-family: var(--mono);
      }
      .rest {
        margin: 16px auto 0;
        display: flex;
      }
      @media (max-width: 900px) {
        .chain {
          grid-template-columns: 24px minmax(0, 1fr) 92px;
        }
        .what {
          grid-column: 2 / -1;
          grid-row: 2;
        }
        .progress {
          grid-column: 3;
          grid-row: 1;
        }
        .when,
        .run {
          display: none;
        }
        .inside {
          padding: 16px 12px 40px;
        }
        .chain {
          padding: 11px 12px;
          gap: 4px 10px;
        }
        .filters .field {
          width: 100%;
        }
      }
    `]}focusSearch(){this.renderRoot.querySelector(`input`)?.focus()}render(){let{query:e,only:t}=this.route,n=Zn(this.rows.filter(n=>(t.length===0||t.includes(n.state))&&xt(e,n.name,n.namespace,n.reason,n.headline,n.operation)));return v`<div class="inside">
      <h1>Chains <span>${this.rows.length.toLocaleString(`en-US`)}</span></h1>
      ${this.rows.length>0?this.renderFilters():b}
      ${n.length>0?v`<ul @keydown=${this.key}>
            ${mt(n.slice(0,this.most),Xn,e=>this.renderRow(e))}
          </ul>`:this.renderEmpty()}
      ${n.length>this.most?v`<button class="button rest" @click=${()=>this.most+=or}>
            Show more (${(n.length-this.most).toLocaleString(`en-US`)} left)
          </button>`:b}
    </div>`}renderFilters(){let e=new Map;return this.rows.forEach(t=>e.set(t.state,(e.get(t.state)??0)+1)),v`<div class="filters">
      <input class="field" type="search" placeholder="Search name, namespace, reason" aria-label="Search chains"
        aria-keyshortcuts="/" .value=${this.route.query} @input=${this.type} />
      ${Yn.filter(t=>e.has(t)||this.route.only.includes(t)).map(t=>{let{word:n,glyph:r,tone:i}=Jn[t];return v`<button class="button chip ${i}" aria-pressed=${this.route.only.includes(t)}
          @click=${()=>this.toggle(t)}>
          ${V(r)}${n} <b>${e.get(t)??0}</b>
        </button>`})}
    </div>`}renderRow(e){let t=Jn[e.state]??Jn.unreadable,n=ir({...nr,namespace:e.namespace,chain:e.name}),r=F(P(e.startTime,e.completionTime,this.now)),i=e.summary.total??0;return v`<li>
      <a class="chain ${t.tone}" href=${n} data-internal>
        ${V(t.glyph)}
        <span class="name">${B(e.name)}<span class="muted">${e.namespace}</span></span>
        <span class="what"
          ><b>${t.word}</b>${e.reason&&e.reason!==t.word?v`<span class="muted small"> ${z(e.reason)}</span>`:b}
          <span class="text">${z(e.headline)}</span></span
        >
        <span class="progress">
          ${i>0?v`<span class="small muted">${e.progress}</span>
                ${cr(e.summary,`${e.progress} stacks done`)}`:v`<span class="small muted">No stacks yet</span>`}
        </span>
        <span class="run small right"
          >${e.run?v`Run ${e.run}<br /><span class="muted">${e.operation}</span>`:b}</span
        >
        <span class="when small right"
          >${e.startTime?v`${e.completionTime?`took`:`for`} ${r}<br />
                <span class="muted">${this.renderLast(e)}</span>`:v`<span class="muted">${this.renderLast(e)}</span>`}</span
        >
      </a>
    </li>`}renderLast(e){if(e.nextTime&&(e.state===`scheduled`||e.state===`fine`)){let t=(Date.parse(e.nextTime)-this.now)/1e3;return t>0?`next in ${F(Math.floor(t))}`:`next run is due`}return e.succeededTime?`succeeded ${I(e.succeededTime,this.now)} ago`:e.startTime?`has not succeeded yet`:`created ${I(e.createdTime,this.now)} ago`}renderEmpty(){return this.isLoaded?this.rows.length>0?v`<div class="empty">
        No chain matches.
        <button class="button" @click=${()=>this.go({...this.route,query:``,only:[]})}>Show all ${L(this.rows.length,`chain`)}</button>
      </div>`:v`<div class="empty">
      There are no StackChains in ${this.scope||`this namespace`}.<br />
      Create one with <code>kubectl apply -f examples/platform.yaml</code>; it appears here.
    </div>`:v`<div class="empty">Reading the chains…</div>`}type(e){this.go({...this.route,query:e.target.value})}toggle(e){let{only:t}=this.route,n=t.includes(e)?t.filter(t=>t!==e):[...t,e];this.go({...this.route,only:n})}key(e){let t=[...this.renderRoot.querySelectorAll(`a.chain`)],n=t.indexOf(e.target),r={j:1,ArrowDown:1,k:-1,ArrowUp:-1}[e.key],i=r&&t[n+r];i&&(e.preventDefault(),i.focus())}go(e){this.dispatchEvent(new CustomEvent(`go`,{detail:{route:e,isSmall:!0},bubbles:!0,composed:!0}))}};G([w({attribute:!1})],Z.prototype,`rows`,void 0),G([w({attribute:!1})],Z.prototype,`route`,void 0),G([w({type:Boolean})],Z.prototype,`isLoaded`,void 0),G([w()],Z.prototype,`scope`,void 0),G([w({type:Number})],Z.prototype,`now`,void 0),G([T()],Z.prototype,`most`,void 0),Z=G([Ge(`chain-list`)],Z);var ur=3,dr={"Estimated end":`By what its stacks took before, without waits for people.`},fr={...N(`AwaitingConfirmation`),word:`Awaiting approval`};function pr(e){let{chain:t,detail:n}=e,r=Jn[n.state]??Jn.unreadable,i=t.ready?.message||n.means,a=n.do.startsWith(`Nothing`)?``:n.do;return v`<section class="headline ${r.tone}" aria-label="State of the chain">
    <div class="state">
      ${V(r.glyph)}
      <div class="words">
        <h1>${r.word}<span class="muted reason">${z(t.ready?.reason??``)}</span></h1>
        ${i?v`<p class="message" title=${z(i)}>${z(i)}</p>`:b}
        ${n.notes.map(e=>v`<p class="small muted">${e}</p>`)}
        ${a?v`<p class="small">
              <b>What to do:</b> ${a} ${n.command?v`<code>${n.command}</code>`:b}
            </p>`:b}
        ${n.problem?v`<p class="small bad-text">${n.problem}</p>`:b}
      </div>
    </div>
    ${mr(e)}
  </section>`}function mr({chain:e,detail:t,route:n,now:r}){let i=e.run,a=i?F(P(i.startTime,i.completionTime,r)):``,o=i?[[`Run`,i.number],[`Cause`,i.cause],[`Operation`,i.operation],[i.completionTime?`Took`:`Elapsed`,a],[`Estimated end`,i.completionTime?``:Ct(i.estimatedCompletionTime,r)],[`Progress`,i.progress],[`Changes`,t.changes]]:[];return e.nextTime&&o.push([`Next run`,R(e.nextTime)]),v`<dl class="facts">
    ${o.filter(([,e])=>e!==``).map(([e,t])=>v`<div title=${dr[e]??b}><dt>${e}</dt><dd>${t}</dd></div>`)}
    ${t.runsAfter.length>0?v`<div>
          <dt>Runs after</dt>
          <dd>
            ${t.runsAfter.map(e=>v`<a class="after" href=${ir({...nr,namespace:n.namespace,chain:e})} data-internal>${z(e)}</a>`)}
          </dd>
        </div>`:b}
    ${i?.workflowUrl?v`<div>
          <dt>Workflow</dt>
          <dd><a href=${i.workflowUrl} target="_blank" rel="noopener noreferrer">Temporal ${H(`out`)}</a></dd>
        </div>`:b}
  </dl>`}function hr({detail:e,rights:t,ask:n}){let{possible:r}=e;if(t===`view`||t===`unavailable`)return v`<p class="actions muted small">${t===`view`?`You may look at this chain, but not change it.`:`Whether you may change this chain is not known now.`}</p>`;if(t===`unknown`||r.actions.length===0)return b;let i=e=>e===`Parallelism`?`Parallelism: ${r.parallelism}`:Gn[e]??e;return v`<div class="actions" role="group" aria-label="Actions">
    ${r.actions.map(e=>v`<button class="button" aria-haspopup="dialog"
        @click=${()=>n({action:e,...e===`Parallelism`?{parallelism:r.parallelism}:{}})}>${i(e)}</button>`)}
  </div>`}function gr({chain:e,route:t,go:n}){let r=new Map;if(e.stacks.forEach(e=>r.set(e.phase,(r.get(e.phase)??0)+1)),r.size===0)return b;let i=Object.fromEntries([...r].map(([e,t])=>[`${e.charAt(0).toLowerCase()}${e.slice(1)}`,t])),a=[...r].sort(([e],[t])=>N(e).rank-N(t).rank),o=e=>{n({only:t.only.includes(e)?t.only.filter(t=>t!==e):[...t.only,e],view:t.view===`graph`?`table`:t.view})};return v`<div class="phases">
    ${cr({...i,total:e.stacks.length},`${e.run?.progress??``} stacks done`)}
    <div class="chips" role="group" aria-label="Show only stacks of a phase">
      ${a.map(([e,n])=>{let r=N(e);return v`<button class="chip ${r.tone}" aria-pressed=${t.only.includes(e)}
          @click=${()=>o(e)}>${V(r.glyph)}<b>${n}</b> ${r.word}</button>`})}
    </div>
  </div>`}function _r({detail:e,now:t}){return e.stages.length===0?b:v`<ol class="stages" aria-label="Stages">
    ${e.stages.map(e=>{let n=N(e.phase);return v`<li class=${n.tone}>
        ${V(n.glyph)}
        <span><b>${z(e.name)}</b> <span class="muted">${e.progress}</span>
          <span class="small stage-text" title=${z(e.message)}>${vr(e,t)||n.word}</span></span>
      </li>`})}
  </ol>`}function vr(e,t){return e.waits?e.until?`${e.waits}, ${F(Math.max(0,P(new Date(t).toISOString(),e.until,t)??0))} left`:e.since?`${e.waits} for ${I(e.since,t)}`:e.waits:e.approvedTime?`approved ${R(e.approvedTime)}`:``}function yr(e){let t=e.detail.needs;if(t.length===0)return b;let n=e.areAllNeeds?t:t.slice(0,ur);return v`<section class="needs" aria-labelledby="needs">
    <h2 id="needs">Needs you <span class="count">${t.length}</span></h2>
    <ul>
      ${n.map(t=>t.stage?br(t,e):Cr(t,e))}
    </ul>
    ${t.length>ur?v`<button class="more" aria-expanded=${e.areAllNeeds}
          @click=${()=>e.showAllNeeds(!e.areAllNeeds)}>
          ${e.areAllNeeds?`Show fewer`:`Show all ${t.length}`}
        </button>`:b}
  </section>`}function br(e,{detail:t,rights:n,ask:r}){let i=n===`change`&&t.possible.approvable.includes(e.stage);return v`<li class=${fr.tone}>
    <div class="need">
      ${V(fr.glyph)}
      <span class="who"><span class="muted kind">stage</span>${z(e.stage)}</span>
      <span class="phase-word">${fr.word}</span>
      ${Sr(e)}
    </div>
    ${i?xr(e.stage,r):b}
  </li>`}function xr(e,t){return v`<button class="button" aria-haspopup="dialog" aria-label="Approve ${z(e)}"
    @click=${()=>t({action:`Approve`,stage:e})}>Approve</button>`}function Sr(e){let t=e.do&&e.do!==`Nothing.`;return v`<span class="said" title=${z(e.message)}>${z(e.message||e.means||e.reason)}${t?v`<span class="todo">${e.do}</span>`:b}</span>
    <span class="holds">${e.held>0?`holds up ${L(e.held,`stack`)}`:``}</span>`}function Cr(e,{route:t,rights:n,ask:r,go:i}){let a=N(e.phase),o=t.stack===e.id,s=$e(e.runUrl);return v`<li class="${a.tone} ${o?`picked`:``}">
    <button class="need" aria-pressed=${o} @click=${()=>i({stack:o?``:e.id})}>
      ${V(a.glyph)}
      <span class="who">${B(e.id)}</span>
      <span class="phase-word">${a.word}</span>
      ${Sr(e)}
    </button>
    ${n===`change`&&e.actions.includes(`Retry`)?v`<button class="button" aria-haspopup="dialog" aria-label="Retry ${e.id}"
          @click=${()=>r({action:`Retry`,stacks:[e.id]})}>Retry</button>`:b}
    ${s?v`<a class="button" href=${s} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${e.id} in Spacelift">Spacelift ${H(`out`)}</a>`:b}
  </li>`}var wr=o`
  .headline {
    display: flex;
    flex-wrap: wrap;
    gap: 12px 40px;
    align-items: flex-start;
    justify-content: space-between;
    padding: 16px 24px 12px;
  }
  .state {
    display: flex;
    gap: 12px;
    flex: 1 1 420px;
    min-width: 0;
  }
  .state > .glyph {
    width: 34px;
    height: 34px;
    padding: 5px;
  }
  .words {
    min-width: 0;
  }
  h1 {
    margin: 0;
    font-size: 17px;
    font-weight: 640;
    letter-spacing: -0.01em;
    line-height: 1.3;
    color: var(--tone);
  }
  .reason {
    margin-left: 10px;
    font-size: 13px;
    font-weight: 400;
    letter-spacing: 0;
  }
  .words p {
    margin: 2px 0 0;
    max-width: 92ch;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }
  .words .message {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
  }
  .small {
    font-size: 12px;
  }
  .words code {
    font-family: var(--mono);
    margin-left: 4px;
  }
  .bad-text {
    color: var(--bad);
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 28px;
    margin: 0;
  }
  .facts dt {
    font-size: 11.5px;
    color: var(--muted);
  }
  .facts dd {
    margin: 1px 0 0;
    font-weight: 560;
    white-space: nowrap;
  }
  .facts a {
    display: inline-flex;
    align-items: center;
    gap: 4px;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0;
    padding: 0 24px 12px;
  }
  .phases {
    padding: 0 24px 12px;
    display: grid;
    gap: 8px;
  }
  .after + .after {
    margin-left: 10px;
  }
  .stages {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0;
    padding: 0 24px 12px;
    list-style: none;
  }
  .stages li {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
    padding: 6px 12px 6px 8px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  .stage-text {
    display: block;
    color: var(--tone);
    overflow-wrap: anywhere;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    margin-left: -8px;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    height: 26px;
    padding: 0 8px 0 4px;
    border: 1px solid transparent;
    border-radius: 13px;
    background: none;
    cursor: pointer;
  }
  .chip:hover {
    background: var(--hover);
  }
  .chip[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  .chip b {
    font-weight: 640;
  }
  .needs {
    margin: 0 24px 14px;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--surface);
    box-shadow: var(--shadow);
    overflow: hidden;
  }
  .needs h2 {
    margin: 0;
    padding: 9px 14px 7px;
    font-size: 12.5px;
    font-weight: 620;
  }
  .count {
    display: inline-block;
    min-width: 18px;
    margin-left: 4px;
    padding: 0 5px;
    border-radius: 9px;
    background: var(--bad-soft);
    color: var(--bad);
    font-size: 11.5px;
    line-height: 18px;
    text-align: center;
  }
  .needs ul {
    max-height: 264px;
    margin: 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  .needs li {
    display: flex;
    align-items: center;
    gap: 12px;
    padding-right: 12px;
    border-top: 1px solid var(--line);
  }
  .needs li:hover {
    background: var(--hover);
  }
  .needs li.picked {
    background: var(--accent-soft);
  }
  .need {
    flex: 1;
    min-width: 0;
    display: grid;
    grid-template-columns: 20px minmax(110px, 220px) 146px minmax(0, 1fr) auto;
    gap: 12px;
    align-items: center;
    min-height: 44px;
    padding: 5px 0 5px 14px;
    border: 0;
    background: none;
    text-align: left;
    cursor: pointer;
  }
  .need:focus-visible {
    outline-offset: -3px;
  }
  .need .who {
    font-weight: 600;
    display: flex;
    min-width: 0;
  }
  div.need {
    cursor: default;
  }
  .kind {
    margin-right: 6px;
    font-weight: 400;
  }
  .phase-word {
    color: var(--tone);
    font-weight: 550;
  }
  .needs .said {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .todo {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    font-size: 12px;
    color: var(--muted);
  }
  .holds {
    color: var(--muted);
    font-size: 12px;
    white-space: nowrap;
  }
  .needs .more {
    width: 100%;
    padding: 7px 14px;
    border: 0;
    border-top: 1px solid var(--line);
    background: none;
    color: var(--accent);
    text-align: left;
    cursor: pointer;
  }
  .needs .more:hover {
    background: var(--hover);
  }
  @media (max-width: 700px) {
    .headline,
    .actions,
    .stages,
    .phases {
      padding-left: 14px;
      padding-right: 14px;
    }
    .state {
      flex-basis: 100%;
    }
    .facts {
      gap: 8px 22px;
    }
    .reason {
      display: block;
      margin: 0;
    }
    .words .message {
      -webkit-line-clamp: 5;
    }
    .needs {
      margin: 0 14px 14px;
    }
    .needs ul {
      max-height: none;
    }
    .need {
      grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 2px 10px;
      padding: 9px 0 9px 12px;
    }
    .needs .said {
      grid-column: 2 / -1;
      white-space: normal;
      display: -webkit-box;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 4;
    }
    .todo {
      white-space: normal;
    }
    .holds {
      grid-column: 2 / -1;
    }
    .holds:empty {
      display: none;
    }
  }
`,Tr=[`stack`,`phase`,`why`,`level`,`changes`,`started`,`took`];function Er(e,t,n){let r=e.filter(e=>(t.only.length===0||t.only.includes(e.phase))&&xt(t.query,e.id,e.name,e.reason,e.message)),i=t.sort.startsWith(`-`),a=t.sort.replace(/^-/,``),o=(e,t)=>N(e.phase).rank-N(t.phase).rank||e.level-t.level||W(e.id,t.id),s=A(Dr,a);return r.sort((e,t)=>{let r=s?s(e,t,n):0;return(i?-r:r)||o(e,t)})}var Dr={stack:(e,t)=>W(e.id,t.id),phase:(e,t)=>N(e.phase).rank-N(t.phase).rank,why:(e,t)=>W(e.reason,t.reason),level:(e,t)=>e.level-t.level,changes:(e,t)=>kr(e)-kr(t),started:(e,t)=>W(e.startTime||`~`,t.startTime||`~`),took:(e,t,n)=>Or(e,n)-Or(t,n)};function Or(e,t){return(e.phase===`Skipped`?null:P(e.startTime,e.completionTime,t))??-1}function kr(e){return e.delta?e.delta.added+e.delta.changed+e.delta.deleted:-1}function Ar(e,t){let n=e.filter(e=>Number.isFinite(Date.parse(e.startTime))&&e.phase!==`Skipped`),r=e=>e.completionTime?Date.parse(e.completionTime):t,i=Math.min(...n.map(e=>Date.parse(e.startTime))),a=Math.max(...n.map(r),i+1e3),o=jr(n,r);return{bars:n.map(e=>({stack:e,start:(Date.parse(e.startTime)-i)/(a-i),end:(Math.max(Date.parse(e.startTime),r(e))-i)/(a-i),isCritical:o.has(e.id)})).sort((e,t)=>e.start-t.start||e.end-t.end||W(e.stack.id,t.stack.id)),from:n.length>0?i:t,until:n.length>0?a:t,others:e.length-n.length}}function jr(e,t){let n=new Map(e.map(e=>[e.id,e])),r=e=>e.map(e=>n.get(e)).filter(e=>e!==void 0).sort((e,n)=>t(n)-t(e)||W(e.id,n.id))[0],i=new Set,a=r([...n.keys()]);for(;a&&!i.has(a.id);)i.add(a.id),a=r(a.dependsOn);return i}function Mr(e,t){let n=[1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,43200,86400].find(n=>e/n<=t)??Math.ceil(e/t/86400)*86400;return Array.from({length:Math.floor(e/n)+1},(e,t)=>t*n)}var Nr={stack:`Stack`,phase:`Phase`,why:`Why`,level:`Level`,changes:`Changes`,started:`Started`,took:`Took`};function Pr(e){let{chain:t,route:n,now:r,go:i}=e,a=Er(t.stacks,n,r);return t.stacks.length===0?Q(St(t)):v`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${Tr.map(e=>Fr(e,n,i))}
          <th class="c-link"><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${mt(a,e=>e.id,t=>Ir(t,e))}
      </tbody>
    </table>
    ${a.length===0?Q(`No stack matches.`):b}
  </div>`}function Fr(e,t,n){let r=t.sort===e?`ascending`:t.sort===`-${e}`?`descending`:`none`,i=r===`ascending`?`↑`:r===`descending`?`↓`:``;return v`<th class="c-${e}" aria-sort=${r}>
    <button @click=${()=>n({sort:ar(t.sort,e)})}>${Nr[e]} ${i}</button>
  </th>`}function Ir(e,{route:t,now:n,go:r}){let i=e.phase===`Skipped`?``:F(P(e.startTime,e.completionTime,n)),a=e.id===t.stack,o=()=>r({stack:a?``:e.id});return v`<tr class=${a?`picked`:``} @click=${o}>
    <td class="c-stack"><button class="row" aria-pressed=${a} @click=${e=>{e.stopPropagation(),o()}}>${B(e.id)}</button></td>
    <td class="c-phase">${Et(e.phase)}</td>
    <td class="c-why"><span class="cut" title=${z(e.message)}>${Rr(e)}</span></td>
    <td class="c-level">${e.level+1}</td>
    <td class="c-changes">${bt(e.delta)}</td>
    <td class="c-started">${e.startTime?`${I(e.startTime,n)} ago`:``}</td>
    <td class="c-took">${i}</td>
    <td class="c-link">${e.runUrl?v`<a class="button icon plain" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${e.id} in Spacelift" @click=${e=>e.stopPropagation()}>${H(`out`)}</a>`:b}</td>
  </tr>`}var Lr=[`RunFinished`,`RunInProgress`];function Rr(e){let t=e.attempts>1?`Attempt ${e.attempts}. `:``,n=Lr.includes(e.reason)?``:e.reason;return t+(z(e.message)||n)}function Q(e){return v`<p class="none">${e}</p>`}function zr({chain:e,route:t,now:n,isPhone:r,go:i}){let{bars:a,from:o,until:s,others:c}=Ar(e.stacks,n);if(a.length===0)return Q(e.stacks.length>0?`No stack has run.`:St(e));let l=a.filter(({stack:e})=>xt(t.query,e.id,e.name)&&(t.only.length===0||t.only.includes(e.phase))),u=(s-o)/1e3,d=e=>`${(e*100).toFixed(3)}%`,f=Mr(u,r?3:8);return v`<div class="scroll gantt">
    <div class="axis">
      <span></span>
      <div class="track">
        ${f.map(e=>v`<span class="tick" ${U({left:d(e/u)})}>${F(e)}</span>`)}
      </div>
    </div>
    ${mt(l,({stack:e})=>e.id,({stack:e,start:r,end:a,isCritical:o})=>{let s=N(e.phase),c=F(P(e.startTime,e.completionTime,n)),l=Math.max(a-r,.002);return v`<button class="lane ${s.tone} ${e.id===t.stack?`picked`:``}"
          aria-pressed=${e.id===t.stack}
          @click=${()=>i({stack:e.id===t.stack?``:e.id})}>
          <span class="who">${V(s.glyph)}${B(e.id)}</span>
          <span class="unseen"
            >${s.word}, started after
            ${F(Math.floor(r*u))}${o?`, on the critical path`:``}, took</span
          >
          <span class="track">
            ${f.map(e=>v`<i class="grid" ${U({left:d(e/u)})}></i>`)}
            <span class="bar ${o?`critical`:``} ${e.phase===`Running`?`running`:``}"
              ${U({left:d(r),width:d(l)})}></span>
            <span class="took" ${U({left:d(r+l)})}>${c}</span>
          </span>
        </button>`})}
    ${l.length===0?Q(`No stack matches.`):b}
    <p class="key">
      <span class="bar critical sample"></span> critical path: from the stack that ended last back to
      a root, over the upstream stack that ended last each time${c>0?v` · ${L(c,`stack`)} ${c===1?`has`:`have`} not run`:b}
    </p>
  </div>`}function Br(e,t,{route:n,now:r}){if(t)return Q(t);if(e===null)return Q(`Reading the events…`);let i=e.filter(e=>xt(n.query,e.reason,e.message));return v`<div class="scroll">
    ${i.length===0?Q(e.length>0?`No event matches.`:`The cluster has no events of this chain; it keeps them for an hour.`):v`<ol class="events">
          ${i.map(e=>v`<li class=${e.type===`Warning`?`bad`:`faint`}>
              <time datetime=${e.time} title=${R(e.time)}>${I(e.time,r)} ago</time>
              ${V(e.type===`Warning`?`cross`:`dot`)}
              <b>${e.reason}</b>
              <span class="said">${e.message}${e.count>1?v` <span class="muted">× ${e.count}</span>`:b}</span>
            </li>`)}
        </ol>`}
  </div>`}function Vr({chain:e,route:t,now:n,go:r}){let i=e.run?[e.run,...e.history]:[...e.history];return i.length===0?Q(`This chain has not run yet.`):v`<div class="scroll">
    <table class="runs">
      <thead>
        <tr>
          <th>Run</th>
          <th>Phase</th>
          <th>Progress</th>
          <th>Cause</th>
          <th>Operation</th>
          <th>Started</th>
          <th>Took</th>
          <th class="c-why">What happened</th>
          <th><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${i.map((e,a)=>Hr(e,i[a+1],t.run===String(e.number),n,r))}
      </tbody>
    </table>
  </div>`}function Hr(e,t,n,r,i){let a=P(e.startTime,e.completionTime,r),o=t?P(t.startTime,t.completionTime,r):null,s=e.completionTime&&t?.completionTime&&a!==null&&o!==null?a-o:0,c=()=>i({run:n?``:String(e.number)});return v`<tr class=${n?`picked`:``} @click=${c}>
    <td><button class="row" aria-pressed=${n} @click=${e=>{e.stopPropagation(),c()}}>${e.number}</button></td>
    <td>${Et(e.phase)}</td>
    <td>${e.progress}</td>
    <td>${e.cause}</td>
    <td>${e.operation}</td>
    <td title=${R(e.startTime)}>${e.startTime?`${I(e.startTime,r)} ago`:``}</td>
    <td>
      ${F(a)}
      ${s===0?b:v`<span class="muted" title="than the run before">${s>0?`+`:`−`}${F(Math.abs(s))}</span>`}
    </td>
    <td class="c-why"><span class=${n?`whole`:`cut`}>${z(e.message)||e.reason}</span></td>
    <td>${e.workflowUrl?v`<a class="button icon plain" href=${e.workflowUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open run ${e.number} in Temporal" @click=${e=>e.stopPropagation()}>${H(`out`)}</a>`:b}</td>
  </tr>`}var Ur=o`
  .scroll {
    flex: 1;
    min-width: 0;
    overflow: auto;
    background: var(--surface);
  }
  .none {
    flex: 1;
    margin: 0;
    padding: 64px 24px;
    text-align: center;
    color: var(--muted);
    background: var(--surface);
  }
  table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
  }
  th {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: 8px 12px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    text-align: left;
    font-size: 12px;
    font-weight: 550;
    color: var(--muted);
    white-space: nowrap;
  }
  th button {
    padding: 0;
    border: 0;
    background: none;
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  th[aria-sort="ascending"],
  th[aria-sort="descending"] {
    color: var(--text);
  }
  td {
    padding: 4px 12px;
    border-bottom: 1px solid var(--line);
    white-space: nowrap;
    height: 38px;
  }
  td .phase {
    vertical-align: middle;
  }
  td .button.icon {
    width: 26px;
    height: 26px;
    vertical-align: middle;
  }
  th:first-child,
  td:first-child {
    padding-left: 24px;
  }
  tbody tr {
    cursor: pointer;
  }
  tbody tr:hover {
    background: var(--hover);
  }
  tbody tr.picked {
    background: var(--accent-soft);
  }
  .row {
    display: flex;
    max-width: 34ch;
    padding: 0;
    border: 0;
    background: none;
    font: inherit;
    font-weight: 580;
    cursor: pointer;
    text-align: left;
  }
  .c-why {
    width: 99%;
    max-width: 0;
  }
  .cut {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    color: var(--muted);
    unicode-bidi: plaintext;
    text-align: left;
  }
  .whole {
    white-space: normal;
    overflow-wrap: anywhere;
    color: var(--muted);
  }
  .c-level,
  .c-took {
    text-align: right;
  }
  .gantt {
    padding: 0 24px 24px;
  }
  .axis,
  .lane {
    display: grid;
    grid-template-columns: minmax(120px, 250px) minmax(0, 1fr);
    gap: 16px;
    align-items: center;
    width: 100%;
  }
  .axis {
    position: sticky;
    top: 0;
    z-index: 2;
    height: 32px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    font-size: 11.5px;
    color: var(--muted);
  }
  .track {
    position: relative;
    height: 100%;
    /* Room for how long a bar took that ends last. */
    margin-right: 64px;
  }
  .tick {
    position: absolute;
    top: 7px;
    transform: translateX(-50%);
  }
  .tick:first-child {
    transform: none;
  }
  .lane {
    position: relative;
    height: 30px;
    padding: 0;
    border: 0;
    background: none;
    text-align: left;
    cursor: pointer;
  }
  .lane:hover {
    background: var(--hover);
  }
  .lane.picked {
    background: var(--accent-soft);
  }
  .who {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
    font-weight: 550;
  }
  .grid {
    position: absolute;
    top: 0;
    bottom: 0;
    width: 1px;
    background: var(--line);
  }
  .bar {
    position: absolute;
    top: 8px;
    height: 14px;
    border-radius: 4px;
    background: var(--tone-soft);
    border: 1px solid var(--tone);
  }
  .bar.critical {
    background: var(--tone);
  }
  .took {
    position: absolute;
    top: 6px;
    padding: 0 6px;
    font-size: 11.5px;
    color: var(--muted);
  }
  .key {
    margin: 14px 0 0;
    font-size: 12px;
    color: var(--muted);
  }
  .sample {
    position: static;
    display: inline-block;
    width: 28px;
    height: 10px;
    margin-right: 6px;
    --tone: var(--good);
  }
  .events {
    margin: 0;
    padding: 4px 0;
    list-style: none;
  }
  .events li {
    display: grid;
    grid-template-columns: 76px 20px 176px minmax(0, 1fr);
    gap: 12px;
    align-items: baseline;
    padding: 7px 24px;
    border-bottom: 1px solid var(--line);
  }
  .events .glyph {
    align-self: start;
  }
  .events b {
    font-weight: 580;
  }
  .events .bad b {
    color: var(--bad);
  }
  .events time {
    color: var(--muted);
    text-align: right;
  }
  .said {
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
    text-align: left;
  }
  @media (max-width: 1100px) {
    .c-level,
    .c-started {
      display: none;
    }
  }
  @media (max-width: 700px) {
    th:first-child,
    td:first-child {
      padding-left: 14px;
    }
    .c-why,
    .c-changes,
    .c-link,
    .runs td:nth-child(4),
    .runs th:nth-child(4),
    .runs td:nth-child(5),
    .runs th:nth-child(5),
    .runs td:nth-child(6),
    .runs th:nth-child(6),
    .runs td:nth-child(9),
    .runs th:nth-child(9) {
      display: none;
    }
    td,
    th {
      padding: 6px 8px;
    }
    .row {
      max-width: 44vw;
    }
    .axis,
    .lane {
      grid-template-columns: 120px minmax(0, 1fr);
    }
    .gantt {
      padding: 0 14px 20px;
    }
    .events li {
      grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 2px 10px;
      padding: 8px 14px;
    }
    .events time {
      grid-column: 3;
      grid-row: 1;
    }
    .events .glyph {
      grid-row: 1;
    }
    .events .said {
      grid-column: 2 / -1;
    }
  }
`,Wr={graph:`Graph`,table:`Table`,timeline:`Timeline`,events:`Events`,runs:`Runs`},Gr=`(max-width: 700px)`,Kr=5e3,qr=8e3,Jr=16;Rn();var $=class extends C{constructor(...e){super(...e),this.route=rr(location.search),this.now=Date.now(),this.areAllNeeds=!1,this.events=null,this.eventsProblem=``,this.rights=`unknown`,this.note=[],this.isPhone=matchMedia(Gr).matches,this.feed=new er(()=>this.drawSoon()),this.drawing=0,this.timer=0,this.eventsOf=``,this.eventsAt=0,this.areEventsDue=!1,this.rightsOf=``,this.noteTimer=0,this.parsed={of:null,chain:Ye(null)},this.goTo=e=>{this.go(e.detail.route,e.detail.isSmall)},this.moved=()=>{this.route=rr(location.search)},this.shown=()=>{document.hidden?this.feed.close():this.feed.resume()},this.resized=()=>{this.isPhone=matchMedia(Gr).matches},this.follow=e=>{let t=e.composedPath().find(e=>e instanceof HTMLAnchorElement&&e.dataset.internal!==void 0);t&&e.button===0&&!e.ctrlKey&&!e.metaKey&&!e.shiftKey&&(e.preventDefault(),this.go(rr(new URL(t.href).search),!1))},this.key=e=>{let t=e.composedPath()[0],n=t instanceof HTMLInputElement||t instanceof HTMLTextAreaElement;e.ctrlKey||e.metaKey||e.altKey||n||this.dialog.isOpen||(e.key===`/`?(e.preventDefault(),this.graph?this.graph.focusSearch():this.chains?this.chains.focusSearch():this.renderRoot.querySelector(`input[type=search]`)?.focus()):e.key===`Escape`&&(this.route.stack?this.go({...this.route,stack:``},!0):this.route.chain&&this.go(nr,!1)))}}static{this.styles=[wt,Tt,lr,wr,Ur,o`
      :host {
        display: flex;
        flex-direction: column;
        height: 100dvh;
        background: var(--canvas);
      }
      .top {
        display: flex;
        align-items: center;
        gap: 10px;
        height: 46px;
        padding: 0 24px;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 8px;
        font-weight: 640;
        color: var(--text);
      }
      .brand svg {
        color: var(--accent);
      }
      .crumb {
        display: flex;
        align-items: center;
        gap: 10px;
        min-width: 0;
        color: var(--muted);
      }
      .crumb b {
        color: var(--text);
        font-weight: 600;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .space {
        flex: 1;
      }
      .live {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        font-size: 12px;
        color: var(--muted);
        white-space: nowrap;
      }
      .live::before {
        content: "";
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--tone);
      }
      .notice {
        display: flex;
        gap: 12px;
        align-items: center;
        padding: 8px 24px;
        border-bottom: 1px solid var(--line);
        background: var(--attention-soft);
        color: var(--text);
        overflow-wrap: anywhere;
      }
      .note {
        position: fixed;
        z-index: 8;
        left: 50%;
        bottom: 20px;
        translate: -50% 0;
        width: max-content;
        max-width: min(640px, calc(100vw - 24px));
        padding: 10px 16px;
        border-radius: var(--radius);
        background: var(--text);
        color: var(--canvas);
        box-shadow: var(--shadow-high);
        overflow-wrap: anywhere;
      }
      .note p {
        margin: 0;
      }
      .note:empty {
        display: none;
      }
      .chain {
        flex: 1;
        min-height: 0;
        display: flex;
        flex-direction: column;
      }
      .info {
        flex: none;
        background: var(--surface);
      }
      nav {
        display: flex;
        flex: none;
        gap: 4px;
        padding: 0 16px;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
        align-items: center;
        min-height: 40px;
      }
      nav a {
        padding: 10px 10px 8px;
        border-bottom: 2px solid transparent;
        color: var(--muted);
        font-weight: 550;
      }
      nav a:hover {
        color: var(--text);
        text-decoration: none;
      }
      nav a[aria-current="page"] {
        border-color: var(--accent);
        color: var(--text);
      }
      nav .field {
        width: 210px;
      }
      .view {
        flex: 1;
        display: flex;
        min-height: 0;
      }
      .view > stackchain-graph {
        flex: 1;
        min-width: 0;
      }
      stackchain-drawer {
        flex: none;
        width: 390px;
        border-left: 1px solid var(--line);
      }
      chain-list {
        flex: 1;
        min-height: 0;
      }
      .middle {
        flex: 1;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 10px;
        padding: 24px;
        text-align: center;
        color: var(--muted);
      }
      .middle h1 {
        color: var(--text);
      }
      .middle code {
        font-family: var(--mono);
        color: var(--text);
      }
      .skip {
        position: absolute;
        left: 12px;
        top: -60px;
        z-index: 9;
      }
      .skip:focus {
        top: 8px;
      }
      @media (max-width: 1100px) {
        stackchain-drawer {
          position: absolute;
          z-index: 5;
          top: 46px;
          right: 0;
          bottom: 0;
          width: min(400px, 100%);
          box-shadow: var(--shadow-high);
        }
      }
      @media (max-width: 700px) {
        :host {
          height: auto;
          min-height: 100dvh;
        }
        .top {
          padding: 0 14px;
          position: sticky;
          top: 0;
          z-index: 4;
        }
        .brand .name {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        nav {
          padding: 0 6px;
          flex-wrap: wrap;
        }
        nav .space {
          display: none;
        }
        nav .field {
          width: 100%;
          margin: 0 8px 8px;
        }
        .view {
          min-height: auto;
        }
        stackchain-drawer {
          position: fixed;
          top: 46px;
          width: 100%;
          border: 0;
        }
        .live.good {
          font-size: 0;
        }
      }
      @media (max-height: 620px) and (min-width: 701px) {
        :host {
          height: auto;
          min-height: 100dvh;
        }
        .view {
          min-height: 480px;
        }
      }
    `]}connectedCallback(){super.connectedCallback(),this.timer=window.setInterval(()=>this.now=Date.now(),1e3),window.addEventListener(`popstate`,this.moved),window.addEventListener(`keydown`,this.key),matchMedia(Gr).addEventListener(`change`,this.resized),document.addEventListener(`visibilitychange`,this.shown),this.addEventListener(`click`,this.follow),this.addEventListener(`go`,this.goTo)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.timer),window.removeEventListener(`popstate`,this.moved),window.removeEventListener(`keydown`,this.key),matchMedia(Gr).removeEventListener(`change`,this.resized),document.removeEventListener(`visibilitychange`,this.shown),this.feed.close()}willUpdate(e){if(e.has(`route`)){let t=e.get(`route`);(t?.chain!==this.route.chain||t.namespace!==this.route.namespace)&&(this.areAllNeeds=!1),this.feed.follow(this.route.namespace,this.route.chain),document.title=this.route.chain?`${this.route.chain} · StackChain`:`StackChain`}this.parsed.of!==this.feed.detail&&(this.parsed={of:this.feed.detail,chain:Ye(this.feed.detail?.resource)}),this.refreshEvents(),this.refreshRights()}get view(){return this.isPhone&&this.route.view===`graph`?`table`:this.route.view}render(){let{route:e,feed:t}=this;return v`<header class="top">
        <button class="button skip" @click=${this.skip}>Skip to the content</button>
        <a class="brand" href="?" data-internal title="All chains">
          <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentcolor" stroke-width="1.8" aria-hidden="true">
            <rect x="2" y="7.5" width="5" height="5" rx="1.5"></rect>
            <rect x="13" y="2.5" width="5" height="5" rx="1.5"></rect>
            <rect x="13" y="12.5" width="5" height="5" rx="1.5"></rect>
            <path d="M7 10h2.5M13 5h-1.5a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2H13"></path>
          </svg>
          <span class="name">StackChain</span>
        </a>
        ${e.chain?v`<span class="crumb"><span aria-hidden="true">/</span>${e.namespace}<span aria-hidden="true">/</span><b title=${e.chain}>${e.chain}</b></span>`:v`<span class="crumb">${t.hello?.scope??``}</span>`}
        <span class="space"></span>
        ${this.renderLive()}
      </header>
      ${t.problem&&t.link===`live`?v`<div class="notice" role="alert">${t.problem}</div>`:b}
      ${t.link===`refused`?this.renderRefused():e.chain?this.renderChain():this.renderList()}
      <action-dialog @asked=${e=>this.say(e.detail.messages)}></action-dialog>
      <div class="note" role="status">${this.note.map(e=>v`<p>${e}</p>`)}</div>`}renderLive(){let{link:e,problem:t,hello:n}=this.feed,[r,i]=e===`live`&&!t?[`good`,`Live`]:e===`connecting`?[`faint`,`Connecting`]:e===`lost`?[`attention`,`Reconnecting`]:[`attention`,`Not up to date`];return v`<span class="live ${r}" role="status" title=${n?.context??``}>${i}</span>`}renderRefused(){return v`<main class="middle" id="main">
      <h1>Nothing can be shown</h1>
      <p>${this.feed.refusal}</p>
    </main>`}renderList(){let{feed:e}=this;return v`<chain-list
      id="main"
      role="main"
      tabindex="-1"
      .rows=${[...e.rows.values()]}
      .route=${this.route}
      .isLoaded=${e.hasRows}
      .scope=${e.hello?.scope??``}
      .now=${this.now}
    ></chain-list>`}renderChain(){let{feed:e,route:t,now:n}=this,r=e.detail;if(e.isMissing||r===null)return v`<main class="middle" id="main">
        ${e.isMissing?v`<h1>There is no chain ${t.chain} in ${t.namespace}</h1>
              <p>It was deleted, or you may not see it.</p>
              <a class="button" href="?" data-internal>All chains</a>`:v`<p>Reading the chain…</p>`}
      </main>`;let i=this.parsed.chain,a=e=>{let n={...t,...e};this.go(n,n.view===t.view)},o={chain:i,detail:r,route:t,now:n,go:a,rights:this.rights,ask:e=>void this.dialog.open({namespace:t.namespace,name:t.chain,...e}),areAllNeeds:this.areAllNeeds,showAllNeeds:e=>this.areAllNeeds=e},s=i.stacks.find(e=>e.id===t.stack);return v`<main class="chain" id="main" tabindex="-1">
      <div class="info">${pr(o)} ${hr(o)} ${gr(o)} ${_r(o)} ${yr(o)}</div>
      ${this.renderTabs()}
      <div class="view">
        ${this.renderView({chain:i,route:t,now:n,isPhone:this.isPhone,go:a},r)}
        ${s&&t.view!==`runs`&&t.view!==`events`?v`<stackchain-drawer
              .stack=${s}
              .stacks=${i.stacks}
              .advice=${A(r.advice,s.id)??null}
              .actions=${this.rights===`change`?A(r.advice,s.id)?.actions??[]:[]}
              .now=${n}
              @stack-action=${({detail:{action:e,id:t}})=>o.ask({action:e,stacks:[t]})}
              @stack-select=${e=>a({stack:e.detail.id})}
            ></stackchain-drawer>`:b}
      </div>
    </main>`}renderTabs(){let{route:e,view:t}=this;return v`<nav aria-label="Views">
      ${tr.filter(e=>e!==`graph`||!this.isPhone).map(n=>v`<a href=${ir({...e,view:n})} data-internal aria-current=${t===n?`page`:`false`}>${Wr[n]}</a>`)}
      <span class="space"></span>
      ${t===`graph`||t===`runs`?b:v`<input class="field" type="search" placeholder="Filter" aria-label="Filter" aria-keyshortcuts="/"
            .value=${e.query}
            @input=${t=>this.go({...e,query:t.target.value},!0)} />`}
    </nav>`}renderView(e,t){switch(this.view){case`graph`:return v`<stackchain-graph
          drawer="none"
          .chain=${t.resource}
          .selected=${this.route.stack}
          .query=${this.route.query}
          @stack-select=${t=>e.go({stack:t.detail.id})}
          @query-change=${t=>e.go({query:t.detail.query})}
        ></stackchain-graph>`;case`table`:return Pr(e);case`timeline`:return zr(e);case`events`:return Br(this.events,this.eventsProblem,e);case`runs`:return Vr(e)}}refreshEvents(){let{namespace:e,chain:t,view:n}=this.route,r=`${e}/${t}/${k(D(this.feed.detail?.resource.metadata).resourceVersion)}`;if(n!==`events`||!this.feed.detail)return;let i=r!==this.eventsOf;if(!this.eventsOf.startsWith(`${e}/${t}/`))this.events=null,this.eventsProblem=``;else if(!(i||this.areEventsDue)||Date.now()-this.eventsAt<Kr)return;this.areEventsDue=i,this.eventsOf=r,this.eventsAt=Date.now(),this.readEvents(e,t)}async readEvents(e,t){let{isGood:n,body:r}=await Bn(`events`,{namespace:e,name:t});e===this.route.namespace&&t===this.route.chain&&(this.eventsProblem=n?``:k(r.error)||`The events cannot be read now.`,n&&(this.events=O(r.events).map(e=>{let t=D(e);return{time:k(t.time),type:k(t.type),reason:k(t.reason),message:k(t.message),count:j(t.count,1)}})))}async refreshRights(){let{namespace:e,chain:t}=this.route,n=`${e}/${t}/${this.feed.opened}`;if(!t||!this.feed.detail||n===this.rightsOf)return;this.rightsOf.startsWith(`${e}/${t}/`)||(this.rights=`unknown`),this.rightsOf=n;let r=await Bn(`rights`,{namespace:e,name:t});n===this.rightsOf&&(this.rights=r.isGood?r.body.change===!0?`change`:`view`:`unavailable`)}drawSoon(){this.drawing||=window.setTimeout(()=>{this.drawing=0,this.requestUpdate()},Jr)}say(e){this.note=e,window.clearTimeout(this.noteTimer),this.noteTimer=window.setTimeout(()=>this.note=[],qr)}go(e,t){let[n,r]=[ir(this.route),ir(e)];n!==r&&(t?history.replaceState(null,``,r):history.pushState(null,``,r),this.route=e)}skip(){this.renderRoot.querySelector(`#main`)?.focus()}};G([T()],$.prototype,`route`,void 0),G([T()],$.prototype,`now`,void 0),G([T()],$.prototype,`areAllNeeds`,void 0),G([T()],$.prototype,`events`,void 0),G([T()],$.prototype,`eventsProblem`,void 0),G([T()],$.prototype,`rights`,void 0),G([T()],$.prototype,`note`,void 0),G([T()],$.prototype,`isPhone`,void 0),G([E(`stackchain-graph`)],$.prototype,`graph`,void 0),G([E(`action-dialog`)],$.prototype,`dialog`,void 0),G([E(`chain-list`)],$.prototype,`chains`,void 0),$=G([Ge(`stackchain-app`)],$);